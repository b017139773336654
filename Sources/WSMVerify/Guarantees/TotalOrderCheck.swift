import WSMCore

/// `total-order`: all clients agree on the order of a channel's messages.
///
/// Where a session's receipts go back behind what it had received, or two orders differ, somebody may have seen two messages
/// the other way round. If so, all sessions that received both are asked, and those of the smaller side are in violation. A
/// message that one session saw out of its place is one violation, whatever it was moved past.
struct TotalOrderCheck {
    /// How many questions "which of two did this session receive first?" are asked at the most.
    static let questionLimit = 200_000_000
    /// How many messages on either side are looked at where two orders differ.
    private static let neighbours = 8

    private let order: ReceiptOrder
    private let channel: UInt8
    private let runStart: MonotonicInstant
    private var judged: Set<Pair> = []
    /// Pairs about which all agree: there are as many sessions to ask as clients, so none is asked twice.
    private var undisputed: Set<Pair> = []
    /// For each session in violation the messages of its pairs.
    private var moved: [ReceiptOrder.Follower: Set<UInt64>] = [:]
    private var questions = 0
    private(set) var violations: Int64 = 0
    private(set) var witness: (at: Int64, text: String)?
    /// The pair behind the witness.
    private(set) var disagreement: Disagreement?
    /// Whether some of the evidence was too much to keep or to go through.
    private(set) var isBlurred = false
    /// Receipts of a message that another session had received, too.
    private(set) var checked: Int64 = 0

    /// Two messages, and two clients that saw them in different orders.
    struct Disagreement {
        var first: UInt64
        var second: UInt64
        /// Saw `first` first.
        var straight: ReceiptOrder.Follower
        var reversed: ReceiptOrder.Follower
    }

    /// Two messages by their keys, the smaller first.
    private struct Pair: Hashable {
        let first: UInt64
        let second: UInt64

        init(_ one: UInt64, _ other: UInt64) {
            first = min(one, other)
            second = max(one, other)
        }
    }

    /// Who saw a pair which way round.
    private struct Sides {
        var straight: [ReceiptOrder.Follower] = []
        var reversed: [ReceiptOrder.Follower] = []
    }

    init(_ order: ReceiptOrder, channel: UInt8, runStart: MonotonicInstant) {
        self.order = order
        self.channel = channel
        self.runStart = runStart
        let loops = order.loops.indices.filter { order.loops[$0].channel == channel }
        for loop in loops { checkSessions(of: loop, among: loops) }
        let messages = compareOrders(of: loops)
        let receipts = loops.reduce(0 as Int64) { sum, loop in
            order.loops[loop].sessions.reduce(sum) { $0 + Int64($1.received) }
        }
        checked = max(0, receipts - messages)
    }

    // MARK: - Sessions against all others

    private mutating func checkSessions(of loop: Int, among loops: [Int]) {
        let ledger = order.loops[loop].ledger
        if ledger.detoursDropped > 0 { isBlurred = true }
        for detour in ledger.detours where !isBlurred {
            guard let index = ledger.order(ofInstance: ledger.sessions[Int(detour.session)].instance) else { continue }
            let own = ReceiptOrder.Follower(loop: loop, session: Int(detour.session))
            // Once, and not for each session that is asked.
            let ahead = (Int(detour.to)..<max(Int(detour.to), Int(detour.reached))).filter {
                order.isBefore($0, Int(detour.from), own) == true
            }
            questions += max(0, Int(detour.reached) - Int(detour.to))
            if check(detour.places, ahead, loop, index) { continue }
            let keys = ledger.orders[index].keys
            let late = detour.places.prefix(TotalOrderCheck.neighbours).map { keys[$0] }
            let early = ahead.prefix(TotalOrderCheck.neighbours).map { keys[$0] }
            checkOthers(late, early, than: (loop, index), loops)
        }
    }

    /// Looks among those that follow an order for one that received a message of `late` before one of `early`.
    private mutating func check(
        _ late: some Sequence<Int>, _ early: some Sequence<Int>, _ loop: Int, _ index: Int
    ) -> Bool {
        let keys = order.loops[loop].ledger.orders[index].keys
        for session in order.followers[loop][index] {
            let follower = ReceiptOrder.Follower(loop: loop, session: session)
            if let (one, other) = contradiction(of: follower, late, early) {
                return judge(Pair(keys[one], keys[other]))
            }
            if questions > TotalOrderCheck.questionLimit { isBlurred = true }
            if isBlurred { return false }
        }
        return false
    }

    private mutating func checkOthers(
        _ late: [UInt64], _ early: [UInt64], than own: (loop: Int, index: Int), _ loops: [Int]
    ) {
        for loop in loops {
            for (index, known) in order.loops[loop].ledger.orders.enumerated() where (loop, index) != own {
                let late = late.compactMap { known.place(ofKey: $0) }
                let early = early.compactMap { known.place(ofKey: $0) }
                if !late.isEmpty, !early.isEmpty, check(late, early, loop, index) { return }
            }
        }
    }

    /// A message of `late` that the session received before one of `early`.
    private mutating func contradiction(
        of follower: ReceiptOrder.Follower, _ late: some Sequence<Int>, _ early: some Sequence<Int>
    ) -> (late: Int, early: Int)? {
        let ledger = order.loops[follower.loop].ledger
        let late = late.lazy.filter { ledger.hasReceived(follower.session, $0) }.prefix(TotalOrderCheck.neighbours)
        let early = early.lazy.filter { ledger.hasReceived(follower.session, $0) }.prefix(TotalOrderCheck.neighbours)
        for one in late {
            for other in early {
                questions += 1
                if order.isBefore(one, other, follower) == true { return (one, other) }
            }
        }
        questions += 1
        return nil
    }

    // MARK: - Orders against each other

    /// Where a message stands among all orders: its place in the first of them, or just behind its neighbour there.
    private struct Rank: Comparable {
        var place: Int
        var offset = 0

        static func < (left: Rank, right: Rank) -> Bool {
            (left.place, left.offset) < (right.place, right.offset)
        }
    }

    /// Returns how many different messages the orders hold.
    private mutating func compareOrders(of loops: [Int]) -> Int64 {
        let orders = loops.flatMap { order.loops[$0].ledger.orders.map(\.keys) }
        if orders.count == 1 { return Int64(orders[0].count) }
        var ranks: [UInt64: Rank] = [:]
        for (number, keys) in orders.enumerated() {
            var latest = Rank(place: -1)
            for (place, key) in keys.enumerated() {
                if let known = ranks[key] {
                    if known < latest { checkDescent(at: place, keys, ranks) }
                    latest = known
                } else {
                    latest = number == 0 ? Rank(place: place) : Rank(place: latest.place, offset: latest.offset + 1)
                    ranks[key] = latest
                }
            }
        }
        return Int64(ranks.count)
    }

    /// Looks at the messages around a place where `keys` go back against the others, the nearest first.
    private mutating func checkDescent(at place: Int, _ keys: ContiguousArray<UInt64>, _ ranks: [UInt64: Rank]) {
        let before = (max(0, place - TotalOrderCheck.neighbours)..<place).reversed()
        for early in before {
            for late in place..<min(keys.count, place + TotalOrderCheck.neighbours) {
                guard !isBlurred, let one = ranks[keys[early]], let two = ranks[keys[late]], one > two else { continue }
                if judge(Pair(keys[early], keys[late])) { return }
            }
        }
    }

    // MARK: - Judging a pair

    /// Asks everybody about a pair; returns whether they disagree.
    @discardableResult
    private mutating func judge(_ pair: Pair) -> Bool {
        guard !judged.contains(pair) else { return true }
        guard !undisputed.contains(pair) else { return false }
        let sides = isDisputable(pair) ? sides(of: pair) : Sides()
        guard let straight = leader(sides.straight), let reversed = leader(sides.reversed) else {
            undisputed.insert(pair)
            return false
        }
        judged.insert(pair)
        let isStraightSmaller =
            sides.straight.count == sides.reversed.count
            ? order.client(straight) > order.client(reversed) : sides.straight.count < sides.reversed.count
        for follower in isStraightSmaller ? sides.straight : sides.reversed {
            let known = moved[follower, default: []]
            if !known.contains(pair.first), !known.contains(pair.second) { violations += 1 }
            moved[follower] = known.union([pair.first, pair.second])
        }
        note(pair, straight, reversed)
        return true
    }

    /// Whether two may have seen the pair in different orders: two orders differ in it, or some session left its order.
    private func isDisputable(_ pair: Pair) -> Bool {
        var isStraight: Bool?
        for record in order.loops where record.channel == channel {
            if !record.ledger.detours.isEmpty { return true }
            for known in record.ledger.orders {
                guard let first = known.place(ofKey: pair.first), let second = known.place(ofKey: pair.second) else {
                    continue
                }
                if let isStraight, isStraight != (first < second) { return true }
                isStraight = first < second
            }
        }
        return false
    }

    private mutating func sides(of pair: Pair) -> Sides {
        var sides = Sides()
        for (loop, record) in order.loops.enumerated() where record.channel == channel {
            for (index, known) in record.ledger.orders.enumerated() {
                guard let first = known.place(ofKey: pair.first), let second = known.place(ofKey: pair.second) else {
                    continue
                }
                questions += order.followers[loop][index].count
                for session in order.followers[loop][index] {
                    let follower = ReceiptOrder.Follower(loop: loop, session: session)
                    switch order.isBefore(first, second, follower) {
                    case true?: sides.straight.append(follower)
                    case false?: sides.reversed.append(follower)
                    case nil: break
                    }
                }
            }
        }
        if questions > TotalOrderCheck.questionLimit { isBlurred = true }
        return sides
    }

    /// The one with the lowest client, to speak for a side.
    private func leader(_ side: [ReceiptOrder.Follower]) -> ReceiptOrder.Follower? {
        side.min { order.client($0) < order.client($1) }
    }

    private mutating func note(_ pair: Pair, _ straight: ReceiptOrder.Follower, _ reversed: ReceiptOrder.Follower) {
        let times = [pair.first, pair.second].map { order.begin($0, channel: channel) ?? runStart.nanoseconds }
        let at = max(times[0], times[1])
        if let witness, witness.at <= at { return }
        disagreement = Disagreement(
            first: pair.first, second: pair.second, straight: straight, reversed: reversed)
        witness = (
            at,
            "\(order.name(straight)) saw \(ReceiptOrder.name(pair.first)) before \(ReceiptOrder.name(pair.second)), "
                + "\(order.name(reversed)) the other way round; they were published "
                + "\(Witness.time(times[0], since: runStart)) and \(Witness.time(times[1], since: runStart)) into the run"
        )
    }
}
