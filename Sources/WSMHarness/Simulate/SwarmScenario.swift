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
        return scenario
    }

    private init(seed: UInt64) {
        self.seed = seed
        random = CounterRNG(seed: seed, stream: .faults, entity: 0x5a_a12)
        isMemory = random.unit() < 0.15
        instances = random.unit() < 0.1 ? 8 : 1 + Int(random.unit() * 4)
    }

    private mutating func yaml(profile: Profile) -> String {
        var lines = [
            "name: swarm", "description: drawn from seed \(seed)", "seed: \(seed)", "warmup: 200ms",
            "duration: \(Shape.duration)ms",
        ]
        lines += cluster(profile)
        lines += clients()
        lines += workload()
        lines += faults(isSerial: profile == .reference)
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func cluster(_ profile: Profile) -> [String] {
        var lines = [
            "cluster:", "  profile: \(profile.rawValue)", "  manager: \(isMemory ? "memory" : "broadcast")",
            "  instances: \(instances)", "  workers: \(pick(1...5))",
        ]
        if !isMemory, chance(0.15) { lines.append("  executor: worker") }
        if chance(0.3) {
            let policy = chance(0.5) ? "disconnect" : "buffer"
            lines.append("  slowClient: {policy: \(policy), limit: \(one(of: ["16KiB", "64KiB", "1MiB"]))}")
        }
        if !isMemory, chance(0.2) {
            lines.append("  brokerLoss: \(one(of: ["retry-then-drop", "resubscribe-silently", "resubscribe-marked"]))")
        }
        return lines
    }

    private mutating func clients() -> [String] {
        var lines = [
            "clients:", "  count: \(pick(Shape.clients))", "  connectRate: 500/s",
            "  reconnect: {initial: \(pick(1...200))ms, max: \(pick(200...800))ms}",
        ]
        if chance(0.3) { lines.append("  churn: {rate: \(pick(1...20))/s}") }
        if chance(0.25) {
            lines.append("  slow: {count: \(pick(1...2)), readRate: \(one(of: ["1KiB/s", "4KiB/s", "32KiB/s"]))}")
        }
        return lines
    }

    private mutating func workload() -> [String] {
        var lines = ["workload:"]
        let hasProcesses = chance(0.6)
        if chance(0.8) || !hasProcesses {
            lines.append(
                "  - {kind: broadcasts, rate: \(one(of: ["5/s", "40/s", "200/s"])), publishers: \(pick(1...6)), "
                    + "arrival: \(one(of: ["poisson", "constant"])), payload: \(one(of: ["256B", "1KiB", "4KiB"]))}")
        }
        if hasProcesses {
            lines.append(
                "  - {kind: processes, rate: \(pick(2...30))/s, steps: \(pick(1...6)), "
                    + "stepDuration: exponential(\(pick(1...20))ms), failed: 10%, suspended: 10%, aborted: 10%}")
        }
        return lines
    }

    /// Each begins when the one before has been healed for a while, so that none contradicts another.
    private mutating func faults(isSerial: Bool) -> [String] {
        guard chance(0.8) else { return [] }
        var at = pick(Shape.begins)
        var lines: [String] = []
        for _ in 0..<pick(1...4) {
            let length = pick(Shape.lengths)
            guard at + length <= Shape.duration - Shape.quiet else { break }
            lines.append("  - {at: \(at)ms, \(fault(length: length, isSerial: isSerial))}")
            at += length + pick(300...900)
        }
        return lines.isEmpty ? [] : ["faults:"] + lines
    }

    private mutating func fault(length: Int, isSerial: Bool) -> String {
        let target = pick(0...instances - 1)
        let share = pick(10...100)
        var kinds = [
            "action: instance.kill, target: \(target), restartAfter: \(length)ms",
            "action: clients.stall, share: \(share)%, duration: \(length)ms",
        ]
        if !isSerial { kinds.append("action: clients.disconnect, share: \(share)%, how: reset") }
        if !isMemory {
            kinds += [
                "action: redis.restart, downtime: \(length)ms", "action: redis.pause, duration: \(length)ms",
            ]
        }
        return one(of: kinds)
    }

    // MARK: Draws

    private mutating func chance(_ probability: Double) -> Bool { random.unit() < probability }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(random.unit() * Double(range.count))
    }

    private mutating func one(of words: [String]) -> String { words[pick(0...words.count - 1)] }
}
