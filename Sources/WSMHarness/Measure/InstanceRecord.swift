package import WSMCore
package import WSMManagers
package import WSMVerify

/// What happened inside one instance, as far as the settlement and the result need it.
///
/// A plain value that is told events in the order of their happening; whoever shares it guards it. At most ``limit`` events
/// of a kind are kept one by one, the rest are counted in ``unkept``: a loss that one of them explains is called
/// unexplained then, and the run says so.
package struct InstanceRecord: Sendable {
    /// At most this many events of a kind are kept one by one.
    package static let limit = 100_000

    package let instance: UInt16
    package private(set) var poolExhausted = 0
    package private(set) var fanOutsAborted = 0
    package private(set) var brokerLosses = 0
    package private(set) var gaveUp = 0
    /// Messages that the slow-client policy left out, counted once for each client.
    package private(set) var leftOut = 0
    /// Clients that `disconnect_all` left out.
    package private(set) var skippedAtShutdown = 0
    package private(set) var threadEnd: (end: BroadcastThreadEnd, at: MonotonicInstant)?
    /// Events that were too many to be kept.
    package private(set) var unkept = 0
    private let marksGaps: Bool
    private var labels: [ClientID: UInt32] = [:]
    private var evictions: [SettlementContext.ClientInstant] = []
    private var abortedFanOuts: [SettlementContext.AbortedFanOut] = []
    private var drops: [SettlementContext.ClientWindow] = []
    private var outages: [SettlementContext.InstanceWindow] = []
    private var gapMarkers: [SettlementContext.InstanceInstant] = []
    private var downtimes: [SettlementContext.InstanceWindow] = []
    /// The place of what is still going on among `drops` and `outages`.
    private var openDrops: [UInt32: Int] = [:]
    private var openOutages: [SubscriptionID: Int] = [:]
    private var ownSubscriptions: [ClientID: SubscriptionID] = [:]

    /// - Parameters:
    ///   - brokerLoss: Whether a subscription that comes back tells its clients of the gap.
    ///   - marksByClose: Whether it tells them by a close frame. Then the instance's word counts for nothing: who was told has
    ///     seen the close.
    package init(instance: UInt16, brokerLoss: BrokerLoss, marksByClose: Bool = false) {
        self.instance = instance
        marksGaps = brokerLoss == .resubscribeMarked && !marksByClose
    }

    // MARK: Events

    /// A client of the load is connected.
    package mutating func connected(_ client: ClientID, as number: UInt32) { labels[client] = number }

    /// A client is gone, and what went on for it is over.
    package mutating func disconnected(_ client: ClientID, at instant: MonotonicInstant) {
        if let number = labels.removeValue(forKey: client) { openDrops[number] = nil }
        if let own = ownSubscriptions.removeValue(forKey: client) { endOutage(of: own, at: instant) }
    }

    /// The instance's process has ended: none of its clients and subscriptions is there any more.
    package mutating func lifeEnded(at instant: MonotonicInstant) {
        for subscription in openOutages.keys.sorted() { endOutage(of: subscription, at: instant) }
        labels = [:]
        openDrops = [:]
        ownSubscriptions = [:]
    }

    package mutating func evicted(_ client: UInt32, at instant: MonotonicInstant) {
        keep(.init(client: client, instance: instance, at: instant), in: \.evictions)
    }

    package mutating func fanOutAborted(publisher: UInt32, sequence: UInt64) {
        keep(.init(instance: instance, publisher: publisher, sequence: sequence), in: \.abortedFanOuts)
    }

    /// Messages published between the two instants were left out for the client; `isFirst` begins a new run of them.
    package mutating func leftOut(
        _ client: UInt32, count: Int, from: MonotonicInstant, until: MonotonicInstant, isFirst: Bool
    ) {
        leftOut += count
        if !isFirst, let index = openDrops[client] {
            drops[index].from = min(drops[index].from, from)
            drops[index].until = max(drops[index].until, until)
            return
        }
        let window = SettlementContext.ClientWindow(client: client, instance: instance, from: from, until: until)
        openDrops[client] = keep(window, in: \.drops)
    }

    package mutating func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {
        threadEnd = (end, instant)
    }

    /// The manager traced something.
    ///
    /// - Parameter delivered: When the last message was published that came from the broker, to the only client of the
    ///   subscription or to all: whatever was published since may be lost with the connection.
    package mutating func traced(_ trace: ManagerTrace, at instant: MonotonicInstant, delivered: MonotonicInstant?) {
        switch trace {
        case .poolExhausted: poolExhausted += 1
        case .fanOutAborted: fanOutsAborted += 1
        case .brokerLost(let subscription, let client):
            brokerLosses += 1
            beginOutage(of: subscription, client, from: min(instant, delivered ?? instant))
        case .resubscribed(let subscription, let client, _):
            endOutage(of: subscription, at: instant)
            guard marksGaps else { break }
            keep(.init(instance: instance, client: client.flatMap { labels[$0] }, at: instant), in: \.gapMarkers)
        case .gaveUp(let subscription, _):
            gaveUp += 1
            endOutage(of: subscription, at: instant)
        case .skippedAtShutdown(let clients): skippedAtShutdown += clients
        case .fanOutStalled: break
        }
    }

    /// The instance was killed, or is being stopped.
    package mutating func wentDown(at instant: MonotonicInstant) {
        keep(.init(instance: instance, from: instant, until: nil), in: \.downtimes)
    }

    /// It listens again.
    package mutating func cameUp(at instant: MonotonicInstant) {
        guard let last = downtimes.indices.last, downtimes[last].until == nil else { return }
        downtimes[last].until = instant
    }

    /// The number of a client in the whole load; `nil` for one that is not of the load, or gone.
    package func number(of client: ClientID?) -> UInt32? { client.flatMap { labels[$0] } }

    private mutating func beginOutage(
        of subscription: SubscriptionID, _ client: ClientID?, from instant: MonotonicInstant
    ) {
        let number = number(of: client)
        // A client that is gone, or none of the load's, misses nothing.
        guard client == nil || number != nil else { return }
        if let client { ownSubscriptions[client] = subscription }
        let window = SettlementContext.InstanceWindow(instance: instance, client: number, from: instant, until: nil)
        openOutages[subscription] = keep(window, in: \.outages)
    }

    private mutating func endOutage(of subscription: SubscriptionID, at instant: MonotonicInstant) {
        guard let index = openOutages.removeValue(forKey: subscription) else { return }
        outages[index].until = instant
    }

    /// Keeps an event if there is room, and returns its place.
    @discardableResult
    private mutating func keep<Event>(
        _ event: Event, in events: WritableKeyPath<InstanceRecord, [Event]>
    ) -> Int? {
        guard self[keyPath: events].count < Self.limit else {
            unkept += 1
            return nil
        }
        self[keyPath: events].append(event)
        return self[keyPath: events].count - 1
    }

    // MARK: Settlement

    /// Adds what a settlement should know of this instance.
    package func add(to context: inout SettlementContext) {
        context.evictions += evictions
        context.slowClientDrops += drops
        context.brokerOutages += outages
        context.abortedFanOuts += abortedFanOuts
        context.gapMarkers += gapMarkers
        context.instanceDowntimes += downtimes
        if let threadEnd, threadEnd.end == .died {
            context.threadDeaths.append(.init(instance: instance, at: threadEnd.at))
        }
    }
}
