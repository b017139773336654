import WSMCore
import WSMScenario
package import WSMSimulation

/// A defect that a swarm must find: one of the reference's own, switched on by its policy, or one of ours, planted in the
/// simulated instances.
package struct Mutant: Sendable {
    package let name: String
    /// What it does, in a line.
    package let deed: String
    /// Whether the reference has it.
    package let isOfReference: Bool
    /// Guarantees that the hardened profile would have kept: demanded although the defect's own policy promises them no more.
    let demanded: [Guarantee]
    let change: @Sendable (inout Scenario) -> Void
    package let sabotage: Sabotage?

    /// A defect of the reference.
    private init(
        _ name: String, _ deed: String, breaks demanded: Guarantee...,
        by change: @escaping @Sendable (inout Scenario) -> Void
    ) {
        self.name = name
        self.deed = deed
        self.demanded = demanded
        self.change = change
        isOfReference = true
        sabotage = nil
    }

    /// A defect of our own.
    private init(_ name: String, _ deed: String, _ make: @escaping @Sendable () -> any Saboteur) {
        self.name = name
        self.deed = deed
        demanded = []
        change = { _ in }
        isOfReference = false
        sabotage = Sabotage(make)
    }

    package static let all = ofReference + ours

    /// The defects of DESIGN.md, section 1, each by its policy, on the hardened profile beside it.
    package static let ofReference: [Mutant] = [
        Mutant("serial-fan-out", "the memory manager waits for each client in turn", breaks: .isolation) {
            $0.cluster.fanOut = .serial
        },
        Mutant("retry-then-drop", "two silent tries, and then clients are dropped", breaks: .noSilentLoss) {
            $0.cluster.brokerLoss = .retryThenDrop
        },
        Mutant("resubscribe-silently", "nobody is told of the broker's gap", breaks: .noSilentLoss) {
            $0.cluster.brokerLoss = .resubscribeSilently
        },
        Mutant("publish-twice", "an EXEC without its reply is sent again", breaks: .atMostOnce) {
            $0.cluster.publishing = .perBroadcast
        },
        Mutant("thread-exit", "an exception ends the broadcast thread", breaks: .noSilentLoss, .recovery) {
            // One failed publish is enough, and connections of their own fail sooner.
            $0.cluster.threadOnError = .exit
            $0.cluster.publishing = .perBroadcast
        },
        Mutant("small-pool", "clients beyond the Redis pool are dropped", breaks: .recovery) {
            $0.cluster.subscription = .perClient
            $0.cluster.redisPool = 4
        },
        Mutant("reference-stop", "disconnect_all skips clients, and the queue is not drained", breaks: .cleanShutdown) {
            let keys = $0.cluster
            // These two have no key of their own: the profile has them, and every other key is kept.
            $0.cluster = ClusterSpec(profile: .reference).keeping(keys)
        },
    ]

    /// Our own.
    package static let ours: [Mutant] = [
        Mutant("cursor-off-by-one", "a fan-out in fours leaves out the first of each further four") { Cursor() },
        Mutant("swap-remove", "the fan-out after a client has left stops one short") { SwapRemove() },
        Mutant("forgotten-channel", "a second loss of the broker is not followed by a subscription") { Forgetful() },
        Mutant("forgotten-mark", "who missed something after a loss is told but for the first") { Unmarked() },
        Mutant("second-publish-lost", "the second of several broadcasts in one write is lost") { SecondLost() },
        Mutant("lost-wake-up", "the broadcast thread sleeps without a look at its queue") { Sleeper() },
        Mutant("lifo-overflow", "four updates and more at once leave the newest first") { Stack() },
        Mutant("undrained-stop", "a stop leaves what still waits") { Undrained() },
        Mutant("stale-welcome", "a new client is sent the last message again") { Welcome() },
        Mutant("uncounted-retry", "the first broadcast after a loss is published twice") { Retry() },
        Mutant("forgotten-at-stop", "the client that came last gets no close") { LastForgotten() },
        Mutant("overtaking", "now and then a message overtakes the one before on one connection") { Overtaking() },
    ]

    /// The mutant of a name.
    package static func named(_ name: String) -> Mutant? { all.first { $0.name == name } }
}

extension Mutant {
    /// What a seed simulates without the defect: what the mutant is held against.
    func twin(of base: Scenario) -> Scenario {
        var twin = base
        for guarantee in demanded { twin.expect.guarantees[guarantee] = .holds }
        return twin
    }

    /// The same with the defect.
    func planted(in twin: Scenario) -> Scenario {
        var planted = twin
        change(&planted)
        return planted
    }
}

extension ClusterSpec {
    /// This profile with every key of another cluster.
    fileprivate func keeping(_ keys: ClusterSpec) -> ClusterSpec {
        var kept = keys
        kept.profile = profile
        return kept
    }
}
