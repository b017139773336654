package import WSMCore
import WSMRecord

/// What one fault did to those who listen.
///
/// A loss and the end of a session belong to the last fault that had begun by then. Numbers of messages are of measured ones.
package struct FaultScore: Hashable, Sendable, Codable {
    /// Clients that lost something without a sign, although the broker had taken it.
    package struct Silent: Hashable, Sendable, Codable {
        package var clients = 0
        package var messages: Int64 = 0
        /// What the client that missed least, and the one that missed most, did not get.
        package var fewest: Int64 = 0
        package var most: Int64 = 0

        package init() {}
    }

    package var lostByCause: [LossCause: Int64] = [:]
    /// Of the client that had to wait longest: from the first message that it should have got until it got one.
    package var blackout: TimeSpan?
    /// From the healing until the first client, and until every client that was there, had got something published since.
    package var firstDeliveryAfter: TimeSpan?
    package var fullDeliveryAfter: TimeSpan?
    /// As ``fullDeliveryAfter``; `nil` also if a client did not come back or is deaf, or a broadcast thread has died.
    package var recoveredAfter: TimeSpan?
    /// Clients with an open connection when it began.
    package var connectedClients = 0
    /// Of those: clients whose connection ended without a close frame, with one of the server's, those told of a gap, by a close
    /// 1012 or a marker, and those of them all that connected anew.
    package var droppedClients = 0
    package var closedClients = 0
    package var markedClients = 0
    package var reconnectedClients = 0
    /// Clients that stayed open to the end and heard nothing any more, not even a fence.
    package var deafClients = 0
    /// Clients that were there to the end and could hear, and to whom nothing was sent any more.
    package var unsentClients = 0
    package var silentlyMissed = Silent()

    package init() {}

    package var lost: Int64 { lostByCause.values.reduce(0, +) }
}

/// The losses of each fault while a settlement goes through the messages.
struct FaultTally {
    /// The numbers of the faults that were injected, in the order of their instants.
    let inOrder: [(fault: Int, at: Int64)]
    private(set) var lostByCause: [[LossCause: Int64]]
    /// For each fault what each client missed without a sign.
    private(set) var silent: [[UInt32: Int64]]
    /// What was lost of the messages of each bucket of time.
    private(set) var overTime: [Int64] = []
    private let timeline: Timeline.Plan?
    private let deaths: [SettlementContext.InstanceInstant]
    private let downtimes: [SettlementContext.InstanceWindow]

    init(_ context: SettlementContext) {
        let faults = context.faults ?? []
        inOrder = faults.enumerated().compactMap { index, fault in fault.at.map { (index, $0.nanoseconds) } }
            .sorted { $0.1 < $1.1 }
        lostByCause = Array(repeating: [:], count: faults.count)
        silent = Array(repeating: [:], count: faults.count)
        timeline = context.timeline
        deaths = context.threadDeaths
        downtimes = context.instanceDowntimes
    }

    /// The last fault that had begun at an instant.
    func fault(at instant: Int64) -> Int? { inOrder.last { $0.at <= instant }?.fault }

    /// The instant from which on the next fault begins; the greatest after the last.
    func end(of fault: Int) -> Int64 {
        guard let place = inOrder.firstIndex(where: { $0.fault == fault }), place + 1 < inOrder.count else {
            return .max
        }
        return inOrder[place + 1].at
    }

    mutating func lose(_ loss: Loss, _ cause: LossCause, isSilent: Bool) {
        note(lossAt: loss.begin)
        guard !inOrder.isEmpty, cause != .otherInstance, let fault = fault(at: decided(loss)) else { return }
        lostByCause[fault][cause, default: 0] += 1
        if isSilent, loss.outcome == .published { silent[fault][loss.session.client, default: 0] += 1 }
    }

    private mutating func note(lossAt instant: Int64) {
        guard let timeline, instant >= timeline.from.nanoseconds else { return }
        let bucket = (instant - timeline.from.nanoseconds) / timeline.width.nanoseconds
        let place = Int(min(bucket, Int64(Timeline.bucketLimit - 1)))
        while overTime.count <= place { overTime.append(0) }
        overTime[place] += 1
    }

    /// When it was decided that the message would not come: what waited in an instance is decided by its end.
    private func decided(_ loss: Loss) -> Int64 {
        guard loss.columns.history.settled[loss.index] == 0 else { return loss.end }
        let instance = loss.columns.instance
        let down = downtimes.first { $0.overlaps(instance, loss.begin, .max) }?.from.nanoseconds
        let dead = deaths.first { $0.instance == instance }?.at.nanoseconds
        return max(loss.end, [down, dead].compactMap { $0 }.min() ?? loss.end)
    }
}
