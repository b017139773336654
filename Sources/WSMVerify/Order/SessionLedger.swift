import WSMCore

/// What each session of one event loop has received: slices of the orders of their instances, and departures from them.
///
/// A message in order costs one comparison. Beyond ``Departure/holeLimit`` holes a session is *blurred*: it goes on counting
/// what certainly is new, and the settlement calls the rest indeterminate.
struct SessionLedger: Sendable {
    /// The most detours that are kept one by one.
    static let detourLimit = 1 << 18

    let publisherCount: Int
    var sessions: ContiguousArray<ObservedSession> = []
    private(set) var departures: ContiguousArray<Departure> = []
    private(set) var orders: ContiguousArray<ChannelOrder> = []
    private(set) var detours: ContiguousArray<Detour> = []
    /// Detours beyond ``detourLimit``.
    private(set) var detoursDropped: Int64 = 0
    /// Receipts of which nobody can tell whether a later message of their publisher came before them.
    private(set) var searchesCut: Int64 = 0
    /// Messages that sessions miss although they have received one that stands behind it in the order: some may still come.
    ///
    /// For showing a run while it lasts; what a blurred session misses is not in it.
    private(set) var overtaken: Int64 = 0
    /// For each instance the index of its order, or -1.
    private var orderOfInstance: ContiguousArray<Int32> = []

    /// Messages that a session received after messages that stand behind them in the order: those at `places`, one after the
    /// other, when everything up to `reached` (holes aside) had come.
    struct Detour: Hashable, Sendable {
        var session: UInt32
        var from: UInt32
        var to: UInt32
        var reached: UInt32
        /// The place of the message received just before.
        var before: UInt32

        var places: Range<Int> { Int(from)..<Int(to) }
    }

    init(publisherCount: Int) {
        self.publisherCount = publisherCount
    }

    /// Begins a session; sessions are numbered from 0.
    mutating func openSession(_ session: ObservedSession) -> Int {
        let instance = Int(session.instance)
        while orderOfInstance.count <= instance { orderOfInstance.append(-1) }
        if orderOfInstance[instance] < 0 {
            orderOfInstance[instance] = Int32(orders.count)
            orders.append(ChannelOrder())
        }
        sessions.append(session)
        return sessions.count - 1
    }

    /// How a message came, compared to what the session had received before.
    enum Arrival {
        /// It is new, and no later one of its publisher came before it.
        case advanced
        /// It is new and comes after a later one of its publisher.
        case late
        /// It was received before.
        case duplicate
        /// It is one of both, and the ledger no longer knows which.
        case ambiguous
    }

    /// What became of a receipt.
    struct Receipt {
        var arrival: Arrival
        /// The step of the same process that the session had received before, when it is a later one.
        var laterStep: UInt16?
        var marks: ChannelOrder.Marks
    }

    /// Notes the receipt of `message`, whose publisher must be below ``publisherCount``.
    @inline(__always)
    mutating func receive(session: Int, _ message: ChannelMessage) -> Receipt {
        let order = Int(orderOfInstance[Int(sessions[session].instance)])
        let next = Int(sessions[session].next)
        if next < orders[order].keys.count, orders[order].keys[next] == message.key {
            let marks = orders[order].marks[next]
            if marks.isDisjoint(with: .irregular) {
                sessions[session].last = UInt32(truncatingIfNeeded: next)
                sessions[session].next = UInt32(truncatingIfNeeded: next &+ 1)
                count(session, message)
                return Receipt(arrival: .advanced, marks: marks)
            }
        }
        return receiveOutOfLine(session, order, message)
    }

    /// Notes receipts of a message that the session `leader` has just received in order, for sessions of the same instance:
    /// from the first on as many as are open, not sick, at the same place of the order, and within the instants `at`.
    ///
    /// The same as ``receive(session:_:)`` and `noteCertainty` for each. Returns how many those are.
    mutating func receive(
        _ receipts: UnsafeBufferPointer<StampedReceipt>, _ message: ChannelMessage, like leader: Int,
        published: MonotonicInstant, at instants: ClosedRange<Int64>
    ) -> Int {
        let place = sessions[leader].last
        let instance = sessions[leader].instance
        let order = Int(orderOfInstance[Int(instance)])
        guard place != ObservedSession.nothing, sessions[leader].next == place + 1,
            orders[order].keys[Int(place)] == message.key,
            orders[order].marks[Int(place)].isDisjoint(with: .irregular)
        else { return 0 }
        return sessions.withUnsafeMutableBufferPointer { sessions in
            for (index, receipt) in receipts.enumerated() {
                let session = Int(receipt.session)
                guard instants.contains(receipt.at.nanoseconds), sessions[session].isWell(on: instance),
                    sessions[session].next == place
                else { return index }
                sessions[session].noteCertainty(published, at: receipt.at)
                sessions[session].last = place
                sessions[session].next = place + 1
                sessions[session].received &+= 1
                if message.isMeasured { sessions[session].measured &+= 1 }
            }
            return receipts.count
        }
    }

    @inline(__always)
    private mutating func count(_ session: Int, _ message: ChannelMessage) {
        sessions[session].received &+= 1
        if message.isMeasured { sessions[session].measured &+= 1 }
    }

    // MARK: - Off the fast path

    @inline(never)
    private mutating func receiveOutOfLine(_ session: Int, _ order: Int, _ message: ChannelMessage) -> Receipt {
        guard let place = orders[order].place(of: message) ?? orders[order].append(message) else {
            return repeated(session, message, .ambiguous)
        }
        let state = sessions[session]
        let marks = orders[order].marks[place]
        if !state.hasReceived {
            sessions[session].first = UInt32(truncatingIfNeeded: place)
            advance(session, to: place)
        } else if place >= Int(state.next) {
            if place > Int(state.next) { addHole(Int(state.next)..<place, session) }
            advance(session, to: place)
            // Nothing that stands behind it has been received: only what the witness saw out of order may be before it.
            if marks.isDisjoint(with: .irregular) {
                count(session, message)
                return Receipt(arrival: .advanced, marks: marks)
            }
        } else if let arrival = goBack(session, to: place) {
            return repeated(session, message, arrival)
        }
        count(session, message)
        let laterStep =
            marks.contains(.step) ? orders[order].laterStep(thanAt: place) { hasReceived(session, $0) } : nil
        let successor = orders[order].hasSuccessor(ofMessageAt: place) { hasReceived(session, $0) }
        if successor == nil { searchesCut += 1 }
        let isLate = successor ?? false
        if isLate { countReordered(session, message) }
        return Receipt(
            arrival: isLate ? .late : .advanced, laterStep: laterStep.map { orders[order].step(at: $0) }, marks: marks)
    }

    private mutating func advance(_ session: Int, to place: Int) {
        sessions[session].last = UInt32(truncatingIfNeeded: place)
        sessions[session].next = UInt32(truncatingIfNeeded: place + 1)
    }

    /// Receives what stands before the session's place; returns how it came when it is not new for certain.
    private mutating func goBack(_ session: Int, to place: Int) -> Arrival? {
        let state = sessions[session]
        if place < Int(state.first) {
            if place + 1 < Int(state.first) { addHole(place + 1..<Int(state.first), session, below: true) }
            sessions[session].first = UInt32(truncatingIfNeeded: place)
        } else {
            guard let departure = departureIndex(session) else { return .duplicate }
            let maySplit = departures[departure].holes.ranges.count < Departure.holeLimit
            switch departures[departure].holes.fill(place, maySplit: maySplit) {
            case .filled: overtaken -= 1
            case .notMissing: return departures[departure].isBlurred ? .ambiguous : .duplicate
            case .wouldSplit:
                departures[departure].isBlurred = true
                return .ambiguous
            }
        }
        noteDetour(session, place)
        return nil
    }

    private mutating func noteDetour(_ session: Int, _ place: Int) {
        let state = sessions[session]
        _ = makeDeparture(session)
        sessions[session].last = UInt32(truncatingIfNeeded: place)
        if let previous = detours.indices.last, detours[previous].session == UInt32(session),
            Int(detours[previous].to) == place, detours[previous].reached == state.next, Int(state.last) == place - 1
        {
            detours[previous].to += 1
        } else if detours.count < SessionLedger.detourLimit {
            detours.append(
                Detour(
                    session: UInt32(session), from: UInt32(place), to: UInt32(place + 1), reached: state.next,
                    before: state.last))
        } else {
            detoursDropped += 1
        }
    }

    private mutating func repeated(_ session: Int, _ message: ChannelMessage, _ arrival: Arrival) -> Receipt {
        let departure = makeDeparture(session)
        if arrival == .duplicate {
            departures[departure].counts.duplicated += 1
            if message.isMeasured { departures[departure].measuredCounts.duplicated += 1 }
        } else {
            departures[departure].isBlurred = true
            departures[departure].counts.ambiguous += 1
            if message.isMeasured { departures[departure].measuredCounts.ambiguous += 1 }
        }
        return Receipt(arrival: arrival, marks: [])
    }

    private mutating func countReordered(_ session: Int, _ message: ChannelMessage) {
        let departure = makeDeparture(session)
        departures[departure].counts.reordered += 1
        if message.isMeasured { departures[departure].measuredCounts.reordered += 1 }
    }

    private mutating func addHole(_ range: Range<Int>, _ session: Int, below: Bool = false) {
        let departure = makeDeparture(session)
        guard departures[departure].holes.ranges.count < Departure.holeLimit else {
            departures[departure].isBlurred = true
            return
        }
        overtaken += Int64(range.count)
        if below { departures[departure].holes.prepend(range) } else { departures[departure].holes.append(range) }
    }

    private func departureIndex(_ session: Int) -> Int? {
        let index = sessions[session].departure
        return index == ObservedSession.nothing ? nil : Int(index)
    }

    private mutating func makeDeparture(_ session: Int) -> Int {
        if let known = departureIndex(session) { return known }
        sessions[session].departure = UInt32(truncatingIfNeeded: departures.count)
        departures.append(Departure())
        return departures.count - 1
    }

    // MARK: - Reading

    /// The index of the order that the sessions of `instance` follow; `nil` when it had none.
    func order(ofInstance instance: UInt16) -> Int? {
        guard Int(instance) < orderOfInstance.count, orderOfInstance[Int(instance)] >= 0 else { return nil }
        return Int(orderOfInstance[Int(instance)])
    }

    /// What the session has beside its slice; `nil` when it never departed from the order.
    func departure(of session: Int) -> Departure? {
        departureIndex(session).map { departures[$0] }
    }

    /// Whether the session has received the message at `place` of its order.
    func hasReceived(_ session: Int, _ place: Int) -> Bool {
        guard sessions[session].slice.contains(place) else { return false }
        guard let departure = departureIndex(session) else { return true }
        return !departures[departure].holes.contains(place)
    }

    /// Whether the session had more holes than the ledger keeps.
    func isBlurred(session: Int) -> Bool { departure(of: session)?.isBlurred ?? false }
}
