package import WSMCore

/// What decides which guarantees a cluster promises: its manager and its policies, and whether a publish was retried.
package struct PromiseContext: Hashable, Sendable {
    package var manager: ManagerKind
    package var instances: Int
    /// Whether workers hand their updates to a broadcast thread's queue (`executor: threadpool`).
    package var usesQueue: Bool
    /// Whether the workload has processes, so that there are steps to be in order.
    package var hasProcesses: Bool
    /// Whether each publisher's messages go over one connection, or each waits for the reply to the one before.
    package var publishesInOrder: Bool
    /// Whether a publish without a reply was, or may be, sent again.
    package var publishRetried: Bool
    /// Whether an error ends the broadcast thread for good (`threadOnError: exit`).
    package var threadExitsOnError: Bool
    package var brokerLoss: BrokerLoss
    /// Whether the broker has one order: one server at a time that all publish to and listen at.
    package var hasOneOrder = true
    /// Whether a fault of the broker can cost clients messages whose own instance notices nothing of it, and so tells nobody.
    package var losesUntold = false
    package var slowClients: SlowClientPolicy
    package var fanOut: FanOutPolicy = .isolated
    /// Whether every instance has at least two clients, so that their orders can be compared.
    package var comparesClients = true
    /// Whether some clients are slow or dead on purpose, so that there is something to isolate.
    package var hasSickClients = false
    /// Whether the scenario says how far clients may be behind (`expect.bounds.lag`).
    package var boundsLag = false
    /// Whether there are faults, so that there is something to recover from.
    package var hasFaults = false
    /// Whether the stop reaches every client and drains the queue.
    package var stopsCleanly = true

    package init(
        manager: ManagerKind, instances: Int, usesQueue: Bool = true, hasProcesses: Bool = true,
        publishesInOrder: Bool = true, publishRetried: Bool = false, threadExitsOnError: Bool = false,
        brokerLoss: BrokerLoss = .resubscribeMarked, slowClients: SlowClientPolicy = .disconnect
    ) {
        self.manager = manager
        self.instances = instances
        self.usesQueue = usesQueue
        self.hasProcesses = hasProcesses
        self.publishesInOrder = publishesInOrder
        self.publishRetried = publishRetried
        self.threadExitsOnError = threadExitsOnError
        self.brokerLoss = brokerLoss
        self.slowClients = slowClients
    }
}

/// The guarantees that a cluster promises, after the table in DESIGN.md, section 3.
///
/// On the memory manager `no-gap`, `completeness` and `no-silent-loss` are about the messages of a client's own instance; the
/// checkers know that. A policy that drops messages of slow clients takes those three away, since it is made to lose. What a
/// scenario gives no occasion for (nobody is slow, nothing breaks) is not promised: it could only be unknown.
package func promisedGuarantees(_ context: PromiseContext) -> Set<GuaranteeID> {
    var promised: Set<GuaranteeID> = [.integrity, .sessionBounds]
    let losesByPolicy = context.slowClients == .drop
    if !losesByPolicy { promised.formUnion([.noGap, .completeness]) }
    switch context.manager {
    case .memory:
        promised.formUnion([.atMostOnce, .publisherOrder])
        if context.hasProcesses { promised.insert(.processOrder) }
        if !losesByPolicy { promised.insert(.noSilentLoss) }
    case .broadcast:
        if !context.publishRetried { promised.insert(.atMostOnce) }
        if context.publishesInOrder { promised.insert(.publisherOrder) }
        if context.hasProcesses, context.usesQueue { promised.insert(.processOrder) }
        if context.instances > 1 { promised.insert(.crossInstanceReach) }
        // A client library that reconnects in silence loses what came in between without a sign.
        if context.brokerLoss == .resubscribeMarked, !losesByPolicy, !context.losesUntold {
            promised.insert(.noSilentLoss)
        }
    }
    if context.usesQueue, context.threadExitsOnError { promised.remove(.noSilentLoss) }
    if context.hasOneOrder {
        promised.insert(.realTimeOrder)
        // What the broker got twice has two places: who connects between them sees only the later one.
        let hasOnePlace = context.manager == .memory || !context.publishRetried
        if context.comparesClients, hasOnePlace { promised.insert(.totalOrder) }
    }
    if context.boundsLag { promised.insert(.boundedLag) }
    if context.stopsCleanly { promised.insert(.cleanShutdown) }
    if context.hasSickClients, context.manager == .broadcast || context.fanOut == .isolated {
        promised.insert(.isolation)
    }
    if context.hasFaults, context.manager == .broadcast, !(context.usesQueue && context.threadExitsOnError) {
        promised.insert(.recovery)
    }
    return promised
}
