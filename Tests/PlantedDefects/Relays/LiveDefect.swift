import WSMCore
import WSMHarness
import WSMScenario
import WSMVerify

/// The reference's defects in live instances: how much is hit is a matter of time, so that these trials hold the checkers
/// against the ledger's own causes, and those against what the instances counted.
enum LiveDefect {
    static let twins: [Twin] = [
        Twin(.live, "serial fan-out with a dead socket", seeds: 1...1, run: deadSocket),
        Twin(.live, "serial fan-out with a stalled client that reads on", seeds: 1...1, run: stalled),
        Twin(.live, "clients beyond the Redis pool", seeds: 1...1, run: pool),
        Twin(.live, "resubscribes silently", seeds: 1...1) { try await resubscribe($0, "per-client") },
        Twin(.live, "resubscribes silently, one subscription for all", seeds: 1...1) {
            try await resubscribe($0, "shared")
        },
        Twin(.live, "leaves messages out for a slow client", seeds: 1...1, run: leaveOut),
    ]

    /// Client 1's socket dies for its instance while the connection still counts as open; the clients behind it in the walk
    /// get nothing until the instance has closed it.
    @Sendable private static func deadSocket(_ seed: UInt64) async throws -> Trial {
        let scenario = try RelayedRun.scenario(
            "profile: reference, manager: memory, instances: 1", seed: seed, connectRate: "20/s")
        let plan = RelayPlan(scenario, seed: seed, perClient: 1, clients: 1..<2, isEarly: true)
        let result = try await RelayedRun.withFrames(scenario) { FrameMeddler(.deadSocket, plan) }
        var trial = losing(.fanOutAborted, result, alsoIn: ["completeness", "no-gap", "no-silent-loss", "isolation"])
        trial.expect("clean-shutdown", in: 3...4)
        trial.isSome(\.indeterminate)
        trial.isSome(\.missedOffline, atLeast: 0)
        return trial
    }

    /// A client that the scenario calls slow does not read for a while: its buffer is full, and every walk waits for it.
    ///
    /// It is not ended, and at last all have got everything, those behind it late.
    @Sendable private static func stalled(_ seed: UInt64) async throws -> Trial {
        var scenario: Scenario
        var slow: UInt32
        var seed = seed
        repeat {
            scenario = try RelayedRun.scenario(
                "profile: reference, manager: memory, instances: 1", seed: seed,
                clients: "count: 4, slow: {count: 1, readRate: 16MiB/s}", connectRate: "20/s",
                workload: "rate: 240/s, payload: 6KiB", duration: "2s", bounds: "{isolation: 200ms}")
            slow = UInt32(LoadPlan(scenario).clients.first { $0.readRate != nil }?.index ?? 0)
            seed += 1
            // Those who connect after it are behind it in the walk.
        } while slow > 1
        let plan = RelayPlan(
            scenario, seed: seed, perClient: 1, clients: Int(slow)..<Int(slow) + 1, isEarly: true)
        let result = try await RelayedRun.withFrames(scenario) {
            FrameMeddler(.stallUntilSilence(.milliseconds(600)), plan)
        }
        var trial = Trial(planted: plan.plantedSoFar, expected: .clean, result)
        trial.expect("isolation", in: 1...(.max))
        // The reference's Memory manager closes with 1000, and leaves out every second client.
        trial.expect("clean-shutdown", in: 4...4)
        trial.isTimed = true
        return trial
    }

    @Sendable private static func pool(_ seed: UInt64) async throws -> Trial {
        let scenario = try RelayedRun.scenario(
            "profile: reference, manager: broadcast, instances: 1, redisPool: 3", seed: seed, clients: "count: 5")
        let result = try await RelayedRun.plain(scenario)
        var trial = Trial(planted: Int64(result.instances[0].poolExhausted), expected: .clean, result)
        trial.isTimed = true
        if result.instances[0].poolExhausted < 2 {
            throw UnexpectedCount(what: "clients beyond the pool", count: result.instances[0].poolExhausted)
        }
        trial.isSome(\.missedOffline)
        trial.isSome(\.indeterminate, atLeast: 0)
        trial.isSome(\.foreign)
        // One of the three that have a connection is left out, and perhaps one that has just come.
        trial.expect("clean-shutdown", in: 1...3)
        return trial
    }

    @Sendable private static func resubscribe(_ seed: UInt64, _ subscription: String) async throws -> Trial {
        let make = { @Sendable (redis: String?) in
            let policies = "subscription: \(subscription), brokerLoss: resubscribe-silently"
            return try RelayedRun.scenario(
                "profile: reference, manager: broadcast, instances: 2, \(policies)", seed: seed, redis: redis)
        }
        let plan = RelayPlan(try make(nil), seed: seed, perClient: 3, clients: 0..<1)
        let result = try await RelayedRun.withRedis(makeScenario: make) {
            RedisMeddler(.cutSubscription, plan, publishAgain: $0)
        }
        var trial = losing(.brokerGap, result, alsoIn: ["no-silent-loss"])
        trial.expect("clean-shutdown", in: 2...2)
        trial.expected.foreign = 2
        return trial
    }

    /// Client 1 does not read while 300 messages of 6 KiB come: more than the kernel's buffers and its own hold.
    @Sendable private static func leaveOut(_ seed: UInt64) async throws -> Trial {
        let scenario = try RelayedRun.scenario(
            "profile: hardened, manager: memory, instances: 1, slowClient: {policy: drop, limit: 16KiB}", seed: seed,
            clients: "count: 3", workload: "rate: 400/s, payload: 6KiB", duration: "1200ms")
        let plan = RelayPlan(scenario, seed: seed, perClient: 1, clients: 1..<2, isEarly: true)
        let result = try await RelayedRun.withFrames(scenario) { FrameMeddler(.stallForMessages(600), plan) }
        let trial = losing(.evicted, result, alsoIn: ["completeness", "no-gap", "no-silent-loss"])
        guard result.instances[0].leftOutForSlowClients >= result.delivery.lost else {
            throw UnexpectedCount(what: "messages left out", count: result.instances[0].leftOutForSlowClients)
        }
        return trial
    }

    /// Every loss has this cause, there is at least one, and each of these guarantees counts just the losses.
    private static func losing(_ cause: LossCause, _ result: RunResult, alsoIn ids: [String]) -> Trial {
        let lost = Int64(result.delivery.lost)
        var expected = Findings(Dictionary(uniqueKeysWithValues: ids.map { ($0, lost) }))
        expected.lose(max(1, lost), cause)
        var trial = Trial(planted: lost, expected: expected, result)
        trial.isTimed = true
        return trial
    }
}
