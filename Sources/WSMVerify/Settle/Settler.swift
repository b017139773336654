import WSMCore
import WSMRecord

/// The state of a settlement: publishers are gone through one by one, so that the columns made for the searches are those
/// of one publisher at a time.
struct Settler {
    let context: SettlementContext
    let loops: [LoopRecord]
    let windows: [[SessionWindow]]
    let gaps: [OfflineGap]
    let abortedFanOuts: Set<SettlementContext.AbortedFanOut>
    var sessions: [[SessionTally]]
    var totals = DeliveryTotals()
    var completeness = MissingTally()
    var noGap = MissingTally()
    var noSilentLoss = MissingTally()
    var reach = MissingTally()
    var recovery = MissingTally()
    /// Losses that sick clients brought upon others.
    var broughtByOthers = MissingTally()
    /// When instances had clients that were slow or stalled on purpose.
    let sickness: [UInt16: [Sickness.Spell]]
    let order: ReceiptOrder
    let history: [PublisherHistory]
    var faults: FaultTally
    /// Pairs of a session and a publisher of whom it received anything.
    var pairsHeard: Int64 = 0
    var outOfBounds = ReceiptTally()
    var neverSubmitted = ReceiptTally()

    /// What is known of one session, over all publishers.
    struct SessionTally {
        /// Measured messages.
        @FourBytes var expected: Int64
        @FourBytes var received: Int64
        @FourBytes var lost: Int64
        @FourBytes var indeterminate: Int64
        /// Distinct messages received, measured or not, that were submitted; and those that never were.
        @FourBytes var receivedAll: Int64
        @FourBytes var neverSubmitted: Int64
    }

    /// Receipts that should not be, and the first of them found.
    struct ReceiptTally {
        var violations: Int64 = 0
        var witness: String?
        var events: [WitnessEvent] = []
    }

    init(loops: [LoopRecord], history: [PublisherHistory], context: SettlementContext) {
        self.context = context
        self.loops = loops
        self.history = history.filter { !$0.isFence }
        order = ReceiptOrder(loops: loops, history: history.filter { !$0.isFence })
        windows = loops.map { loop in loop.sessions.map { SessionWindow($0, context: context) } }
        gaps = OfflineGap.all(in: loops, context)
        abortedFanOuts = Set(context.abortedFanOuts)
        sickness = Dictionary(grouping: loops.flatMap(\.sickness.spells), by: \.instance)
        faults = FaultTally(context)
        sessions = loops.map { Array(repeating: SessionTally(), count: $0.sessions.count) }
    }

    mutating func run(_ history: [PublisherHistory]) throws(SettlementError) {
        let publisherCount = loops.map(\.ledger.publisherCount).max() ?? 0
        var byNumber = [PublisherHistory?](repeating: nil, count: publisherCount)
        for publisher in history {
            countPublished(publisher)
            guard !loops.isEmpty else { continue }
            let number = Int(publisher.publisher)
            guard number < publisherCount, byNumber[number] == nil else {
                throw SettlementError(
                    code: .unknownPublisher,
                    message: "publisher \(number) has a history twice, or is not among the \(publisherCount) "
                        + "publishers that the observers know")
            }
            byNumber[number] = publisher
        }
        for channel in Set(loops.map(\.channel)).sorted() {
            let heard = heard(on: channel)
            for (number, publisher) in byNumber.enumerated() {
                // Who has said nothing and of whom nothing came concerns no session, and there may be thousands of them.
                guard heard.contains(number) || publisher?.history(of: channel) != nil else { continue }
                settle(number, publisher, channel)
            }
        }
    }

    /// The publishers of whom anything came to any session of `channel`.
    private func heard(on channel: UInt8) -> Set<Int> {
        loops.reduce(into: []) { heard, record in
            guard record.channel == channel else { return }
            for order in record.ledger.orders { heard.formUnion(order.heard) }
        }
    }

    private mutating func countPublished(_ publisher: PublisherHistory) {
        guard !publisher.isFence else { return }
        for history in publisher.channels {
            for index in 0..<history.count where history.outcome(of: index) == .published {
                if history.intended[index] >= context.measuredFrom.nanoseconds { totals.published += 1 }
            }
        }
    }

    /// Settles one publisher with all sessions of `channel`.
    ///
    /// One without a history, or that publishes fences, has submitted no message of the load.
    private mutating func settle(_ number: Int, _ publisher: PublisherHistory?, _ channel: UInt8) {
        let silent = PublisherHistory(
            publisher: PublisherID(UInt32(number)), instance: publisher?.instance ?? 0, isFence: false, channels: [])
        let isLoad = publisher.map { !$0.isFence } ?? false
        let columns = PublisherColumns(isLoad ? publisher ?? silent : silent, channel: channel, context: context)
        var reached = ReachTable(columns: columns)
        for (loop, record) in loops.enumerated()
        where record.channel == channel && number < record.ledger.publisherCount {
            var tracks = record.ledger.orders.map { PublisherTrack($0, publisher: number, count: columns.count) }
            for session in record.sessions.indices {
                guard let order = record.ledger.order(ofInstance: record.sessions[session].instance) else { continue }
                settle(columns, &tracks[order], loop, session, &reached)
            }
        }
        reached.settle(into: &reach, context: context)
        for gap in gaps where gap.channel == channel {
            totals.missedOffline += columns.handedOver.measured(columns.handedOver(from: gap.from, until: gap.until))
        }
    }

    /// Settles one publisher with one session.
    private mutating func settle(
        _ columns: PublisherColumns, _ track: inout PublisherTrack, _ loop: Int, _ session: Int,
        _ reached: inout ReachTable
    ) {
        guard columns.count > 0 || !track.isEmpty else { return }
        let observed = loops[loop].sessions[session]
        let departure = loops[loop].ledger.departure(of: session)
        let received = track.received(observed.slice, departure)
        let ranges = MessageRanges(columns, windows[loop][session])
        let isBlurred = departure?.isBlurred ?? false
        countReceived(columns, received, ranges, loop, session, isBlurred: isBlurred)
        guard !isBlurred else { return }
        checkBounds(columns, received, windows[loop][session], observed)
        if observed.instance != columns.instance {
            reached.add(instance: observed.instance, expected: ranges.followed, received: received.ranges)
        }
        countChecks(columns, ranges, observed, isDeaf: windows[loop][session].isDeaf)
        if context.manager == .memory, observed.instance != columns.instance, received.isEmpty {
            loseToOtherInstance(columns, ranges, observed, loop, session)
        } else {
            findMissing(columns, received, ranges, loop, session)
        }
    }

    private mutating func countReceived(
        _ columns: PublisherColumns, _ received: ReceivedRanges, _ ranges: MessageRanges, _ loop: Int, _ session: Int,
        isBlurred: Bool
    ) {
        var expected =
            columns.handedOver.measured(ranges.possible) + columns.neverHandedOver.measured(ranges.submitted)
        if !received.isEmpty { pairsHeard += 1 }
        if received.neverSubmitted > 0, !isBlurred {
            sessions[loop][session].neverSubmitted += received.neverSubmitted
            neverSubmitted.violations += received.neverSubmitted
            if neverSubmitted.witness == nil, let number = received.firstNeverSubmitted {
                let client = loops[loop].sessions[session].client
                neverSubmitted.witness =
                    "client \(client) received \(columns.publisher):\(number), which was never submitted"
            }
        }
        if !isBlurred {
            for range in received.ranges {
                let measured = columns.handedOver.measured(range) + columns.neverHandedOver.measured(range)
                let inside =
                    columns.handedOver.measured(range.clamped(to: ranges.possible))
                    + columns.neverHandedOver.measured(range.clamped(to: ranges.submitted))
                // What came from outside of the session's time is counted as it came; session-bounds tells of it.
                expected += measured - inside
                sessions[loop][session].received += measured
                sessions[loop][session].receivedAll += Int64(range.count)
            }
        }
        sessions[loop][session].expected += expected
    }

    /// The session should not know what was over before it tried to connect, nor what was published after its close.
    private mutating func checkBounds(
        _ columns: PublisherColumns, _ received: ReceivedRanges, _ window: SessionWindow, _ observed: ObservedSession
    ) {
        let before = columns.settled(before: window.attempted - context.inFlight)
        let after = window.closed == .max ? columns.count..<columns.count : columns.handedOver(after: window.closed)
        for range in received.ranges {
            let early = range.clamped(to: before)
            let late = range.clamped(to: after)
            let count = columns.handedOverDecided.all(early) + columns.handedOver.all(late)
            guard count > 0 else { continue }
            outOfBounds.violations += count
            let earlyIndex = columns.handedOverDecided.first(in: early)
            guard outOfBounds.witness == nil, let index = earlyIndex ?? columns.handedOver.first(in: late)
            else { continue }
            let time = Witness.time(columns.begin(index), since: context.runStart)
            let which = earlyIndex == nil ? "after its session was closed" : "before its session began"
            outOfBounds.witness =
                "client \(observed.client) (instance \(observed.instance)) received \(columns.publisher):\(index), "
                + "published \(time) into the run, \(which)"
            outOfBounds.events = [
                WitnessEvent(
                    .published, who: "publisher \(columns.publisher)",
                    instance: columns.instance == context.outside ? nil : columns.instance,
                    message: "\(columns.publisher):\(index)",
                    atNanoseconds: columns.begin(index) - context.runStart.nanoseconds),
                WitnessEvent(
                    .received, who: "client \(observed.client)", instance: observed.instance,
                    message: "\(columns.publisher):\(index)"),
            ]
        }
    }

    private mutating func countChecks(
        _ columns: PublisherColumns, _ ranges: MessageRanges, _ observed: ObservedSession, isDeaf: Bool
    ) {
        if context.manager == .memory, observed.instance != columns.instance { return }
        let certain = columns.handedOverDecided.all(ranges.certain)
        let followed = columns.handedOverDecided.all(ranges.followed)
        let neverPublished = columns.neverHandedOverDecided.all(ranges.submittedWithin)
        completeness.check(certain + neverPublished)
        if let deadline = context.recovery?.deadline {
            let later = columns.handedOver(after: deadline - 1).clamped(to: ranges.certain)
            recovery.check(columns.handedOverDecided.all(later))
        }
        noGap.check(followed)
        noSilentLoss.check((isDeaf ? certain : followed) + neverPublished)
    }
}
