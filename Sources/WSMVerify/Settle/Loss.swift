import WSMCore
import WSMRecord

/// One message that one session had to get and did not.
struct Loss {
    let session: ObservedSession
    let window: SessionWindow
    let columns: PublisherColumns
    /// Its sequence number.
    let index: Int
    let place: Place

    /// Where it is missing.
    enum Place {
        /// The session received something published later.
        case between
        /// At the end of a session that stayed open and heard nothing more.
        case inSilence
        /// At the end of a session that the slow-client policy disconnected.
        case beforeEviction
    }

    var begin: Int64 { columns.begin(index) }
    var end: Int64 { columns.end(index) }
    var outcome: PublishOutcome { columns.outcomes[index] }

    /// Why it did not come: the first of the causes that fits, from the most certain to the least.
    func cause(_ context: SettlementContext, abortedFanOuts: Set<SettlementContext.AbortedFanOut>) -> LossCause {
        if context.manager == .memory, columns.instance != session.instance { return .otherInstance }
        switch outcome {
        case .queueDropped:
            return .queueDropped
        case .threadDead:
            return .threadDead
        case .failed, .maybePublished:
            // Nobody reported it: it waited in an instance that went down.
            if columns.history.outcome(of: index) == .pending { return .instanceDown }
            if abortedFanOuts.contains(fanOut) { return .fanOutAborted }
            return isCovered(by: context.instanceDowntimes, columns.instance) ? .instanceDown : .publishFailed
        case .pending, .published:
            break
        }
        if place == .beforeEviction || wasDroppedByPolicy(context) { return .evicted }
        if abortedFanOuts.contains(fanOut) { return .fanOutAborted }
        if isCovered(by: context.instanceDowntimes, session.instance) { return .instanceDown }
        if isInBrokerOutage(context) { return .brokerGap }
        return .unexplained
    }

    private var fanOut: SettlementContext.AbortedFanOut {
        SettlementContext.AbortedFanOut(
            instance: session.instance, publisher: columns.publisher, sequence: UInt64(index))
    }

    /// Whether the broker was out of reach of its publisher or its client at the time.
    func isInBrokerOutage(_ context: SettlementContext) -> Bool {
        isCovered(by: context.brokerOutages, columns.instance)
            || context.brokerOutages.contains {
                $0.overlaps(session.instance, client: session.client, begin, end)
            }
    }

    /// Whether completeness is not promised for it: by design, by policy, or in a fault's window.
    func isExcusedFromCompleteness(_ cause: LossCause, _ context: SettlementContext) -> Bool {
        switch cause {
        case .otherInstance, .brokerGap, .instanceDown: true
        case .evicted: place == .beforeEviction
        case .publishFailed: isInBrokerOutage(context)
        case .queueDropped, .threadDead, .fanOutAborted, .unexplained: false
        }
    }

    /// Whether it is a gap in the channel's stream: published for certain, between two receipts, in one broker epoch.
    func isGap(_ cause: LossCause) -> Bool {
        switch cause {
        case .evicted, .fanOutAborted, .unexplained: place == .between && outcome == .published
        default: false
        }
    }

    /// Whether the client was never told: the session went on, without a marker.
    func isSilent(_ cause: LossCause, _ context: SettlementContext) -> Bool {
        guard place != .beforeEviction else { return false }
        switch cause {
        case .otherInstance, .instanceDown:
            return false
        case .brokerGap:
            return !wasMarked(context)
        case .publishFailed:
            // Its publisher knows. In good times nobody acts on that; while a fault lasts nobody can.
            return !wasMarked(context) && !isInBrokerOutage(context) && !isInFault(context)
        case .evicted, .queueDropped, .threadDead, .fanOutAborted, .unexplained:
            return true
        }
    }

    /// Whether the client was told of a gap after the message's publishing: it has seen the close, or its instance says so of a
    /// marker that leaves the connection open.
    private func wasMarked(_ context: SettlementContext) -> Bool {
        if session.end == .closedByServer(code: Settler.gapClose) { return true }
        return context.gapMarkers.contains {
            $0.concerns(session.client, on: session.instance) && $0.at.nanoseconds >= begin
                && $0.at.nanoseconds <= window.closed
        }
    }

    /// Whether a fault lasted at some instant of its publishing.
    private func isInFault(_ context: SettlementContext) -> Bool {
        context.faults?.contains { fault in
            guard let at = fault.at else { return false }
            return at.nanoseconds <= end && begin <= (fault.healedAt?.nanoseconds ?? .max)
        } ?? false
    }

    private func wasDroppedByPolicy(_ context: SettlementContext) -> Bool {
        context.slowClientDrops.contains {
            $0.client == session.client && $0.instance == session.instance && $0.from.nanoseconds <= end
                && begin <= $0.until.nanoseconds
        }
    }

    private func isCovered(by windows: [SettlementContext.InstanceWindow], _ instance: UInt16) -> Bool {
        windows.contains { $0.overlaps(instance, begin, end) }
    }
}

/// The earliest missing message of a kind, and how many there are.
struct MissingTally {
    private(set) var checked: Int64 = 0
    private(set) var violations: Int64 = 0
    private(set) var earliest: Missing?

    /// Who missed what; `client` is `nil` when a whole instance did.
    struct Missing {
        let begin: Int64
        let client: UInt32?
        let clientInstance: UInt16
        let publisher: UInt32
        let publisherInstance: UInt16
        let index: Int
        let wasHandedOver: Bool
        let cause: LossCause?
    }

    mutating func check(_ count: Int64) { checked += count }

    mutating func add(_ missing: Missing, count: Int64 = 1) {
        violations += count
        if let known = earliest, known.order <= missing.order { return }
        earliest = missing
    }

    /// The earliest in words.
    func witness(_ context: SettlementContext) -> String? {
        guard let missing = earliest else { return nil }
        let who =
            missing.client.map { "client \($0) (instance \(missing.clientInstance))" }
            ?? "every client of instance \(missing.clientInstance)"
        let what = "\(missing.publisher):\(missing.index)"
        let act = missing.wasHandedOver ? "published" : "submitted and never published,"
        let when = Witness.time(missing.begin, since: context.runStart)
        let why = missing.cause.map { ": \($0.rawValue)" } ?? ""
        let place =
            missing.publisherInstance == context.outside ? "" : " on instance \(missing.publisherInstance)"
        return "\(who) never got \(what), \(act) \(when) into the run\(place)\(why)"
    }
}

extension MissingTally.Missing {
    /// Earlier first; at the same instant the lower numbers.
    fileprivate var order: (Int64, UInt32, UInt32, Int) { (begin, client ?? 0, publisher, index) }
}

/// The words of witnesses.
enum Witness {
    /// A length of time: `250 ms`, or seconds with milliseconds.
    static func span(_ nanoseconds: Int64) -> String {
        nanoseconds < 1_000_000_000
            ? "\(nanoseconds / 1_000_000) ms" : time(nanoseconds, since: MonotonicInstant(nanoseconds: 0))
    }

    /// A time into the run, in seconds with milliseconds: `1.204 s`.
    static func time(_ instant: Int64, since start: MonotonicInstant) -> String {
        let milliseconds = (instant &- start.nanoseconds) / 1_000_000
        let digits = String(abs(milliseconds % 1000))
        let sign = milliseconds < 0 ? "-" : ""
        return "\(sign)\(abs(milliseconds / 1000)).\(String(repeating: "0", count: 3 - digits.count))\(digits) s"
    }
}
