import WSMCore

/// A small scenario with faults, drawn from a seed: cluster, clients, load and faults, each from wide ranges.
struct SoakScenario {
    let seed: UInt64
    private var random: CounterRNG

    init(seed: UInt64) {
        self.seed = seed
        random = CounterRNG(seed: seed, stream: .faults, entity: 0x50a4)
    }

    private enum Shape {
        static let instances = 1...3
        static let clients = 8...48
        static let faults = 1...3
        /// Milliseconds of the measured window, and when faults may begin in it.
        static let duration = 2200
        static let begins = 100...1300
        static let lengths = 50...500
    }

    /// The scenario file.
    mutating func yaml() -> String {
        let instances = random.pick(Shape.instances)
        let isMemory = random.chance(0.15)
        let profile = random.chance(0.7) ? "hardened" : "reference"
        let placement = random.chance(0.35) ? "processes" : "in-process"
        let executor = !isMemory && random.chance(0.15) ? "worker" : "threadpool"
        let clients = random.pick(Shape.clients)
        var lines = [
            "name: soak-\(seed)", "seed: \(seed)", "warmup: 200ms", "duration: \(Shape.duration)ms", "cluster:",
            "  profile: \(profile)", "  manager: \(isMemory ? "memory" : "broadcast")", "  instances: \(instances)",
            "  placement: \(placement)", "  executor: \(executor)", "  workers: 3",
        ]
        if random.chance(0.3) {
            lines.append("  slowClient: {policy: \(random.one(of: ["drop", "disconnect"])), limit: 64KiB}")
        }
        if !isMemory, random.chance(0.3) {
            lines.append(
                "  brokerLoss: \(random.one(of: ["retry-then-drop", "resubscribe-silently", "resubscribe-marked"]))")
        }
        lines += [
            "clients:", "  count: \(clients)", "  connectRate: 500/s", "  reconnect: {initial: 50ms, max: 500ms}",
        ]
        if random.chance(0.3) { lines.append("  churn: {rate: \(random.pick(1...10))/s}") }
        if random.chance(0.2) { lines.append("  slow: {count: 1, readRate: 4KiB/s}") }
        lines.append("workload:")
        lines.append(
            "  - {kind: broadcasts, rate: \(random.pick(20...150))/s, publishers: \(random.pick(1...4)), payload: 300B}"
        )
        if random.chance(0.6) {
            lines.append(
                "  - {kind: processes, rate: \(random.pick(5...20))/s, steps: 3, stepDuration: exponential(10ms), "
                    + "failed: 10%, suspended: 10%, aborted: 10%}")
        }
        lines.append("faults:")
        lines += faults(instances: instances, isMemory: isMemory)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Each begins a while after the one before has ended, so that none contradicts another.
    private mutating func faults(instances: Int, isMemory: Bool) -> [String] {
        var at = random.pick(Shape.begins)
        var lines: [String] = []
        for _ in 0..<random.pick(Shape.faults) {
            guard at <= Shape.begins.upperBound else { break }
            let length = random.pick(Shape.lengths)
            lines.append("  - {at: \(at)ms, \(fault(length: length, instances: instances, isMemory: isMemory))}")
            at += length + 400
        }
        return lines
    }

    private mutating func fault(length: Int, instances: Int, isMemory: Bool) -> String {
        let target = random.pick(0...instances - 1)
        let share = random.pick(10...100)
        let ofRedis = [
            "action: redis.restart, downtime: \(length)ms", "action: redis.pause, duration: \(length)ms",
            "action: redis.disconnect-clients, share: \(share)%",
            "action: redis.slow, duration: \(length)ms, delay: 5ms",
            "action: link.delay, between: redis, target: \(target), duration: \(length)ms, delay: 5ms",
            "action: link.cut, between: redis, target: \(target), duration: \(length)ms",
        ]
        let ofAll = [
            "action: instance.kill, target: \(target), restartAfter: \(length)ms",
            "action: instance.stop, target: \(target), restartAfter: \(length)ms",
            "action: instance.pause, target: \(target), duration: \(length)ms",
            "action: link.delay, between: clients, target: \(target), share: \(share)%, duration: \(length)ms, delay: 5ms",
            "action: link.cut, between: clients, target: \(target), share: \(share)%, duration: \(length)ms",
            "action: link.throttle, between: clients, target: \(target), share: \(share)%, duration: \(length)ms, "
                + "rate: 64KiB/s",
            "action: clients.disconnect, share: \(share)%",
            "action: clients.stall, share: \(share)%, duration: \(length)ms",
        ]
        return random.one(of: isMemory ? ofAll : ofRedis + ofAll)
    }
}
