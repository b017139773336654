import NIOCore
import WSMCore
import WSMHarness
import WSMScenario
import WSMVerify

/// The defects of the relay layer: the same as in the streams, on real sockets, in whole runs.
enum RelayDefect {
    static let seeds: ClosedRange<UInt64> = 1...2

    static let twins: [Twin] =
        ManagerKind.allCases.flatMap { manager in
            [
                frames("none: the clean twin", .none, manager, seeds: 1...3) { _ in [:] },
                frames("drops", .drop, manager) { StreamDefect.loss($0) },
                frames("delivers twice at once", .duplicate, manager) { ["at-most-once": $0] },
                frames("replays an old message", .replay, manager) { ["at-most-once": $0] },
                frames("swaps neighbours of one publisher", .swap, manager) {
                    ["publisher-order": $0, "total-order": $0, "real-time-order": $0]
                },
                frames("corrupts a payload", .corrupt, manager) {
                    StreamDefect.loss($0).merging(["integrity": $0]) { $1 }
                },
                frames("sends to the wrong channel as well", .misdirect, manager) { ["integrity": $0] },
                frames("closes silently", .closeSilently, manager, perClient: 1) { _ in [:] },
                frames("delays one client", .delay(client: 2, .milliseconds(1500)), manager) { ["bounded-lag": $0] },
                frames("closes with another code at shutdown", .changeClose, manager) { ["clean-shutdown": $0] },
                frames("ends connections without a close at shutdown", .cutAtClose, manager) {
                    ["clean-shutdown": $0]
                },
                frames("closes twice at shutdown", .repeatClose, manager) { ["clean-shutdown": $0] },
            ]
        } + [
            redis("none: the clean twin", .none, seeds: 1...3) { _ in [:] },
            redis("drops a PUBLISH", .dropPublish) {
                StreamDefect.loss(4 * $0).merging(["cross-instance-reach": $0]) { $1 }
            },
            redis("duplicates a PUBLISH", .duplicatePublish) { ["at-most-once": 4 * $0] },
            redis("cuts the connection before EXEC's reply", .cutBeforeReply, profile: .reference) {
                // The reference's disconnect_all leaves out one of the two clients of each instance.
                ["at-most-once": 4 * $0, "clean-shutdown": 2]
            },
        ]

    /// Between the clients and the instances.
    private static func frames(
        _ name: String, _ defect: FrameMeddler.Defect, _ manager: ManagerKind, seeds: ClosedRange<UInt64> = seeds,
        perClient: Int = 3, expecting: @escaping @Sendable (Int64) -> [String: Int64]
    ) -> Twin {
        Twin(.relay, "\(manager.rawValue), clients: \(name)", seeds: seeds) { seed in
            let instances = manager == .memory ? 1 : 2
            var bounds = ""
            if case .delay = defect { bounds = "{lag: 1s}" }
            let scenario = try RelayedRun.scenario(
                "profile: hardened, manager: \(manager.rawValue), instances: \(instances)", seed: seed,
                bounds: bounds)
            let plan = RelayPlan(
                scenario, seed: seed, perClient: perClient, clients: Self.hitsMessages(defect) ? 0..<4 : 0..<0)
            let result = try await RelayedRun.withFrames(scenario) { FrameMeddler(defect, plan) }
            if case .none = defect { return Trial(planted: 0, expected: .clean, result) }
            let planted = plan.plantedSoFar
            guard planted == Self.planned(defect, plan, scenario) else {
                throw UnexpectedCount(what: "defects planted", count: Int(planted))
            }
            var expected = Findings(expecting(planted))
            switch defect {
            case .drop, .corrupt: expected.lose(planted, .unexplained)
            case .duplicate, .replay: expected.duplicated = planted
            case .swap: expected.reordered = planted
            default: break
            }
            var trial = Trial(planted: planted, expected: expected, result)
            // How long a client stays away, and what was on its way, is a matter of time.
            if case .closeSilently = defect {
                // The hit itself was published before the end, and may have been on its way.
                trial.isSome(\.indeterminate, atLeast: planted)
                trial.isSome(\.missedOffline, atLeast: 0)
            }
            return trial
        }
    }

    private static func hitsMessages(_ defect: FrameMeddler.Defect) -> Bool {
        switch defect {
        case .none, .delay, .changeClose, .cutAtClose, .repeatClose: false
        default: true
        }
    }

    /// How many defects there are to be.
    private static func planned(_ defect: FrameMeddler.Defect, _ plan: RelayPlan, _ scenario: Scenario) -> Int64 {
        switch defect {
        case .delay: LoadPlan(scenario).broadcasters.reduce(0) { $0 + Int64($1.sendsAt.count) }
        case .changeClose, .cutAtClose, .repeatClose: Int64(scenario.clients.count)
        default: plan.total
        }
    }

    /// Between the instances and Redis; a hit is one of all clients.
    private static func redis(
        _ name: String, _ defect: RedisMeddler.Defect, profile: Profile = .hardened,
        seeds: ClosedRange<UInt64> = seeds, expecting: @escaping @Sendable (Int64) -> [String: Int64]
    ) -> Twin {
        Twin(.relay, "broadcast, Redis: \(name)", seeds: seeds) { seed in
            let make = { @Sendable (redis: String?) in
                try RelayedRun.scenario(
                    "profile: \(profile.rawValue), manager: broadcast, instances: 2", seed: seed, redis: redis)
            }
            let plan = RelayPlan(try make(nil), seed: seed, perClient: 5, clients: 0..<1)
            let result = try await RelayedRun.withRedis(makeScenario: make) {
                RedisMeddler(defect, plan, publishAgain: $0)
            }
            if case .none = defect { return Trial(planted: 0, expected: .clean, result) }
            let planted = plan.plantedSoFar
            guard planted == plan.total else { throw UnexpectedCount(what: "defects planted", count: Int(planted)) }
            var expected = Findings(expecting(planted))
            if case .dropPublish = defect {
                expected.lose(4 * planted, .unexplained)
            } else {
                expected.duplicated = 4 * planted
            }
            // The reference says goodbye in a text message of its own to the two that it does not leave out.
            if profile == .reference { expected.foreign = 2 }
            return Trial(planted: planted, expected: expected, result)
        }
    }
}
