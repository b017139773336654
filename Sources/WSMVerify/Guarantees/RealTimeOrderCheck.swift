import WSMCore

/// `real-time-order`: a publish that was acknowledged before another began is never seen after it.
struct RealTimeOrderCheck {
    /// The most messages of an order that are held against all of its sessions.
    static let messageLimit = 4096
    /// How far back what a session received before a message is looked at.
    static let searchLimit = 1 << 14

    private let order: ReceiptOrder
    private let channel: UInt8
    private let runStart: MonotonicInstant
    private(set) var violations: Int64 = 0
    private(set) var witness: (at: Int64, text: String)?
    private(set) var isBlurred = false
    /// Receipts that came after another of the same session.
    private(set) var checked: Int64 = 0
    private var counted: Set<Receipt> = []

    private struct Receipt: Hashable {
        var follower: ReceiptOrder.Follower
        var place: Int
    }

    /// One order with the instants of its messages.
    private struct Timeline {
        var loop: Int
        var order: Int
        var keys: ContiguousArray<UInt64>
        var begins: [Int64]
        /// The greatest instant where nobody confirmed the message.
        var acknowledged: [Int64]
    }

    init(_ order: ReceiptOrder, channel: UInt8, runStart: MonotonicInstant) {
        self.order = order
        self.channel = channel
        self.runStart = runStart
        for (loop, record) in order.loops.enumerated() where record.channel == channel {
            checked += record.sessions.reduce(0) { $0 + max(0, Int64($1.received) - 1) }
            if record.ledger.detoursDropped > 0 { isBlurred = true }
            let timelines = record.ledger.orders.indices.map { timeline(loop, $0) }
            for timeline in timelines { checkOrder(timeline) }
            for detour in record.ledger.detours {
                let instance = record.sessions[Int(detour.session)].instance
                if let index = record.ledger.order(ofInstance: instance) { check(detour, timelines[index]) }
            }
        }
    }

    private func timeline(_ loop: Int, _ index: Int) -> Timeline {
        let keys = order.loops[loop].ledger.orders[index].keys
        return Timeline(
            loop: loop, order: index, keys: keys, begins: keys.map { order.begin($0, channel: channel) ?? .min },
            acknowledged: keys.map { order.acknowledged($0, channel: channel) ?? .max })
    }

    /// What stands in the order after a message that began only when it was acknowledged already.
    private mutating func checkOrder(_ timeline: Timeline) {
        var latest = 0
        var suspects = 0
        for place in timeline.keys.indices {
            if timeline.acknowledged[place] < timeline.begins[latest] {
                suspects += 1
                guard suspects <= RealTimeOrderCheck.messageLimit else {
                    isBlurred = true
                    return
                }
                let early = early(before: place, timeline)
                for session in order.followers[timeline.loop][timeline.order] {
                    let follower = ReceiptOrder.Follower(loop: timeline.loop, session: session)
                    let found = early.first { order.isBefore($0, place, follower) == true }
                    if let found { count(place, after: found, follower, timeline) }
                }
            }
            if timeline.begins[place] > timeline.begins[latest] { latest = place }
        }
    }

    /// Messages before `place` that began only when it was acknowledged already, the nearest first.
    private func early(before place: Int, _ timeline: Timeline) -> [Int] {
        let floor = max(0, place - RealTimeOrderCheck.searchLimit)
        let bound = timeline.acknowledged[place]
        return Array((floor..<place).reversed().lazy.filter { timeline.begins[$0] > bound }.prefix(64))
    }

    /// What one session received late on its own.
    private mutating func check(_ detour: SessionLedger.Detour, _ timeline: Timeline) {
        let follower = ReceiptOrder.Follower(loop: timeline.loop, session: Int(detour.session))
        let floor = max(Int(detour.to), Int(detour.reached) - RealTimeOrderCheck.searchLimit)
        if floor > Int(detour.to) { isBlurred = true }
        let earlier = (floor..<max(floor, Int(detour.reached))).filter {
            order.isBefore($0, Int(detour.from), follower) == true
        }
        guard let latest = earlier.max(by: { timeline.begins[$0] < timeline.begins[$1] }) else { return }
        for place in detour.places where timeline.acknowledged[place] < timeline.begins[latest] {
            count(place, after: latest, follower, timeline)
        }
    }

    private mutating func count(
        _ place: Int, after earlier: Int, _ follower: ReceiptOrder.Follower, _ timeline: Timeline
    ) {
        guard counted.insert(Receipt(follower: follower, place: place)).inserted else { return }
        violations += 1
        let at = timeline.begins[earlier]
        if let witness, witness.at <= at { return }
        let late = ReceiptOrder.name(timeline.keys[place])
        let early = ReceiptOrder.name(timeline.keys[earlier])
        witness = (
            at,
            "\(order.name(follower)) saw \(late) after \(early), but \(late) was acknowledged "
                + "\(Witness.time(timeline.acknowledged[place], since: runStart)) into the run, before \(early) was "
                + "published at \(Witness.time(at, since: runStart))"
        )
    }
}
