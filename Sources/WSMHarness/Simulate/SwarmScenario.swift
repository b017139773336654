internal import WSMCore
package import WSMScenario

/// A small cluster with its load and its faults, drawn from a seed: another one for each.
///
/// Each seed first draws which features take part at all, and then how much of each: runs in which everything happens at once
/// reach less than runs of random subsets (Groce and others, "Swarm Testing", 2012). Only what can be simulated is drawn. All
/// faults are healed long enough before the end for `recovery` to be demanded.
package struct SwarmScenario {
    private let seed: UInt64
    private var random: CounterRNG
    private let isMemory: Bool
    private let instances: Int

    private enum Shape {
        static let clients = 2...60
        static let duration = 6000
        /// When faults begin, in milliseconds of the measured window, and how long they last.
        static let begins = 100...2500
        static let lengths = 20...1200
        /// Without a fault before the end.
        static let quiet = 2000
    }

    /// The scenario of a seed.
    ///
    /// Profile and expectations are those of `base`, and so is its name; everything else is drawn.
    package static func draw(_ base: Scenario, seed: UInt64) throws -> Scenario {
        var drawing = SwarmScenario(seed: seed)
        let text = drawing.yaml(profile: base.cluster.profile)
        let loaded = ScenarioFile.parse(text: text, name: "swarm-\(seed).yaml")
        guard var scenario = loaded.scenario else {
            throw HarnessError(.internalFault, "the scenario drawn from seed \(seed) is refused: \(loaded.diagnostics)")
        }
        scenario.name = base.name
        scenario.expect = base.expect
        if asksTheImpossible(of: scenario), scenario.expect.guarantees[.recovery] == nil {
            scenario.expect.guarantees[.recovery] = .any
        }
        return scenario
    }

    /// Whether clients that read slowly on purpose may be told of a gap: they see the close only once they have read all that
    /// came before it, and no instance can make that quick.
    private static func asksTheImpossible(of scenario: Scenario) -> Bool {
        scenario.clients.slow.count > 0
            && scenario.faults.contains {
                [.redisRestart, .redisPause, .redisDisconnectClients].contains($0.action)
                    || ($0.action.breaksLinks && $0.between == .redis)
            }
    }

    private init(seed: UInt64) {
        self.seed = seed
        random = CounterRNG(seed: seed, stream: .faults, entity: 0x5a_a12)
        let isMemory = random.chance(0.15)
        self.isMemory = isMemory
        instances = random.chance(0.1) ? 8 : random.pick(1...4)
    }

    private mutating func yaml(profile: Profile) -> String {
        var lines = [
            "name: swarm", "description: drawn from seed \(seed)", "seed: \(seed)", "warmup: 200ms",
            "duration: \(Shape.duration)ms",
        ]
        lines += cluster(profile)
        lines += clients()
        lines += workload()
        lines += faults()
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func cluster(_ profile: Profile) -> [String] {
        var lines = [
            "cluster:", "  profile: \(profile.rawValue)", "  manager: \(isMemory ? "memory" : "broadcast")",
            "  instances: \(instances)", "  workers: \(random.pick(1...5))",
        ]
        if !isMemory, random.chance(0.15) { lines.append("  executor: worker") }
        if random.chance(0.3) {
            let policy = random.chance(0.5) ? "disconnect" : "buffer"
            lines.append("  slowClient: {policy: \(policy), limit: \(random.one(of: ["16KiB", "64KiB", "1MiB"]))}")
        }
        if !isMemory, random.chance(0.2) {
            lines.append(
                "  brokerLoss: \(random.one(of: ["retry-then-drop", "resubscribe-silently", "resubscribe-marked"]))")
        }
        if !isMemory, random.chance(0.15) { lines.append("  publishing: per-broadcast") }
        // What a client that does not read does is felt within the run only where little is kept for it.
        if random.chance(0.15) { lines.append("  sendBuffer: \(random.one(of: ["16KiB", "64KiB"]))") }
        return lines
    }

    private mutating func clients() -> [String] {
        var lines = [
            "clients:", "  count: \(random.pick(Shape.clients))", "  connectRate: 500/s",
            "  reconnect: {initial: \(random.pick(1...200))ms, max: \(random.pick(200...800))ms}",
        ]
        if random.chance(0.3) { lines.append("  churn: {rate: \(random.pick(1...20))/s}") }
        if random.chance(0.25) {
            lines.append(
                "  slow: {count: \(random.pick(1...2)), readRate: \(random.one(of: ["1KiB/s", "4KiB/s", "32KiB/s"]))}")
        }
        return lines
    }

    private mutating func workload() -> [String] {
        var lines = ["workload:"]
        let hasProcesses = random.chance(0.6)
        if random.chance(0.8) || !hasProcesses {
            lines.append(
                "  - {kind: broadcasts, rate: \(random.one(of: ["5/s", "40/s", "200/s"])), publishers: \(random.pick(1...6)), "
                    + "arrival: \(random.one(of: ["poisson", "constant"])), payload: \(random.one(of: ["256B", "1KiB", "4KiB"]))}"
            )
        }
        if hasProcesses {
            lines.append(
                "  - {kind: processes, rate: \(random.pick(2...30))/s, steps: \(random.pick(1...6)), "
                    + "stepDuration: exponential(\(random.pick(1...20))ms), failed: 10%, suspended: 10%, aborted: 10%}")
        }
        return lines
    }

    /// Each begins when the one before has been healed for a while, so that none contradicts another.
    private mutating func faults() -> [String] {
        guard random.chance(0.8) else { return [] }
        var at = random.pick(Shape.begins)
        var lines: [String] = []
        for _ in 0..<random.pick(1...4) {
            let length = random.pick(Shape.lengths)
            guard at + length <= Shape.duration - Shape.quiet else { break }
            if !isMemory, random.chance(0.15) {
                lines += pair(at: at, length: length)
            } else {
                lines.append("  - {at: \(at)ms, \(fault(length: length))}")
            }
            at += length + random.pick(300...900)
        }
        return lines.isEmpty ? [] : ["faults:"] + lines
    }

    /// Two that matter together: an instance ends with its queue while Redis is away or stands still, so that a stop in order
    /// can drain it only once Redis goes on; or Redis goes, or lets connections go, just when it catches up with what has
    /// waited for it, so that what it did is not answered.
    private mutating func pair(at: Int, length: Int) -> [String] {
        let target = random.pick(0...instances - 1)
        let (first, rest) = (length / 2, length - length / 2)
        let kinds = [
            [
                "action: redis.restart, downtime: \(length)ms",
                "at: \(at + first)ms, action: instance.kill, target: \(target), restartAfter: \(rest)ms",
            ],
            [
                "action: redis.pause, duration: \(length)ms",
                "at: \(at + first)ms, action: instance.stop, target: \(target), restartAfter: \(rest)ms",
            ],
            [
                "action: redis.pause, duration: \(first)ms",
                "at: \(at + first + 1)ms, action: redis.restart, downtime: \(max(1, rest - 3))ms",
            ],
            [
                "action: redis.pause, duration: \(first)ms",
                "at: \(at + first + 1)ms, action: redis.disconnect-clients, share: \(random.pick(10...90))%",
            ],
        ]
        let pair = random.one(of: kinds)
        return ["  - {at: \(at)ms, \(pair[0])}", "  - {\(pair[1])}"]
    }

    private mutating func fault(length: Int) -> String {
        let target = random.pick(0...instances - 1)
        let share = random.pick(10...100)
        var kinds = [
            "action: instance.kill, target: \(target), restartAfter: \(length)ms",
            "action: instance.stop, target: \(target), restartAfter: \(length)ms",
            "action: instance.pause, target: \(target), duration: \(length)ms",
            "action: clients.stall, share: \(share)%, duration: \(length)ms",
            "action: clients.disconnect, share: \(share)%, how: \(random.one(of: ["reset", "close"]))",
            link("clients", length: length), link("clients", length: length),
        ]
        if !isMemory {
            kinds += [
                "action: redis.restart, downtime: \(length)ms", "action: redis.pause, duration: \(length)ms",
                "action: redis.disconnect-clients, share: \(share)%",
                link("redis", length: length), link("redis", length: length),
            ]
        }
        return random.one(of: kinds)
    }

    /// A disturbed link of all instances or of one, of all connections or of some.
    private mutating func link(_ between: String, length: Int) -> String {
        let target = random.chance(0.5) ? ", target: \(random.pick(0...instances - 1))" : ""
        let share = random.chance(0.5) ? ", share: \(random.pick(10...90))%" : ""
        let kind = random.one(of: [
            "link.delay, delay: 'uniform(1ms, \(random.pick(2...80))ms)'",
            "link.throttle, rate: \(random.one(of: ["10KiB/s", "100KiB/s"]))",
            "link.cut, afterwards: \(random.one(of: ["reset", "resume"]))",
        ])
        return "action: \(kind), between: \(between)\(target)\(share), duration: \(length)ms"
    }
}
