import Testing
import WSMCore

@testable import WSMScenario

@Suite("What a scenario breaks")
struct FaultTests {
    static let cluster = "cluster: {instances: 2}\nclients: {count: 10}"

    private func text(_ lines: String, cluster: String = FaultTests.cluster, duration: String = "20s") -> String {
        "name: test\nduration: \(duration)\n\(cluster)\nfaults:\n\(lines)\n"
    }

    @Test("The faults of the contract's example are accepted, and count from the start of the measured window")
    func example() throws {
        let lines = """
              - {at: 4s, action: redis.restart, downtime: 500ms}
              - {at: 7s, action: instance.kill, target: 1, restartAfter: 1s}
            """
        let loaded = try scenario(text(lines))
        let plan = FaultPlan(loaded)
        #expect(plan.faults.map(\.at) == [.seconds(4), .seconds(7)])
        #expect(plan.faults.map(\.healsAt) == [.milliseconds(4500), .seconds(8)])
        #expect(plan.faults[1].targets(of: 2) == [1])
        #expect(try scenario(loaded.yaml()) == loaded)
    }

    @Test("A fault that comes again and again happens after each gap, and never at or after the end")
    func every() throws {
        let plan = FaultPlan(try scenario(text("  - {every: 4s, action: redis.disconnect-clients}", duration: "12s")))
        #expect(plan.faults.map(\.at) == [.seconds(4), .seconds(8)])
        #expect(plan.faults.map(\.occurrence) == [0, 1])
    }

    @Test("The occurrences of all faults stand in the order of their instants")
    func order() throws {
        let lines = """
              - {every: 6s, action: instance.pause, target: 0, duration: 100ms}
              - {at: 7s, action: redis.pause, duration: 1s}
            """
        #expect(FaultPlan(try scenario(text(lines))).faults.map(\.index) == [0, 1, 0, 0])
    }

    @Test(
        "A share hits as many as it says, the same for the same seed, and others for another",
        arguments: [(0, 0), (1, 1), (2, 1), (7, 4), (200, 100)])
    func share(_ count: Int, _ wanted: Int) throws {
        let plan = FaultPlan(try scenario(text("  - {every: 4s, action: redis.disconnect-clients, share: 50%}")))
        let fault = plan.faults[0]
        let picked = fault.pick(from: count, seed: 7)
        #expect(picked.count == wanted)
        #expect(Set(picked).count == picked.count && picked == picked.sorted())
        #expect(picked.allSatisfy { (0..<count).contains($0) })
        #expect(fault.pick(from: count, seed: 7) == picked)
        guard count > 100 else { return }
        #expect(fault.pick(from: count, seed: 8) != picked)
        #expect(plan.faults[1].pick(from: count, seed: 7) != picked)
    }

    @Test("Each client is as likely to be hit as the next")
    func fairness() throws {
        let fault = FaultPlan(try scenario(text("  - {at: 4s, action: redis.disconnect-clients, share: 20%}"))).faults[
            0]
        var hits = [Int](repeating: 0, count: 10)
        for seed in 0..<2000 as Range<UInt64> { for index in fault.pick(from: 10, seed: seed) { hits[index] += 1 } }
        // 400 each are expected, with a standard deviation of 18.
        #expect(hits.allSatisfy { (300...500).contains($0) }, "\(hits)")
    }

    @Test(
        "What is not there cannot be broken",
        arguments: [
            ("cluster: {manager: memory}", "redis.kill", "needs cluster.manager: broadcast"),
            (
                "cluster: {redis: {url: 'redis://h'}}", "redis.kill",
                "cannot be done to cluster.redis.url: that server is not the run's own"
            ),
            (
                "cluster: {}\nclients: {count: 3, transport: direct}", "instance.kill",
                "makes no sense with clients.transport: direct"
            ),
            ("cluster: {instances: 65}", "instance.pause, duration: 1s", "needs at most 64 instances"),
        ])
    func means(_ cluster: String, _ action: String, _ message: String) throws {
        let found = faults(text("  - {at: 1s, action: \(action)}", cluster: cluster))
        try #require(found.count == 1, "\(found)")
        let name = action.prefix { $0 != "," }
        #expect(found[0].contains("error: faults[0]: \(name) \(message)"), "\(found)")
        #expect(found[0].contains("hint: "))
    }

    @Test(
        "What is broken already cannot be broken again",
        arguments: [
            (
                "redis.restart, downtime: 2s", "at: 5s, action: redis.pause, duration: 1s",
                "faults[1] begins at 5s, when faults[0] (redis.restart, from 4s to 6s) still holds"
            ),
            (
                "redis.kill", "at: 9s, action: redis.disconnect-clients",
                "faults[1] begins at 9s, when faults[0] (redis.kill, from 4s to the end of the run) still holds"
            ),
            (
                "instance.kill, restartAfter: 1s", "at: 4s, action: instance.pause, duration: 1s, target: 1",
                "faults[1] begins at 4s, when faults[0] (instance.kill, from 4s to 5s) still holds"
            ),
            (
                "instance.pause, target: 0, duration: 1s", "every: 2s, action: instance.pause, duration: 3s, target: 1",
                "faults[1] begins at 4s, when its own time before (instance.pause, from 2s to 5s) still holds"
            ),
        ])
    func overlaps(_ first: String, _ second: String, _ message: String) throws {
        let found = faults(text("  - {at: 4s, action: \(first)}\n  - {\(second)}")).filter { $0.contains("error") }
        try #require(found.count == 1, "\(found)")
        #expect(found[0].contains("error: \(message)"), "\(found)")
    }

    @Test("Faults of different things may overlap, and one may begin when the other ends")
    func noOverlap() {
        let lines = """
              - {at: 4s, action: redis.restart, downtime: 2s}
              - {at: 5s, action: instance.kill, target: 0, restartAfter: 1s}
              - {at: 5s, action: instance.pause, target: 1, duration: 1s}
              - {at: 6s, action: redis.pause, duration: 1s}
            """
        #expect(faults(text(lines)) == [])
    }

    @Test(
        "A fault that ends or recovers too late to be seen draws a warning",
        arguments: [
            ("at: 19s, action: redis.pause, duration: 2s", "would last until 21s and is healed at the end of the run"),
            ("at: 15s, action: redis.pause, duration: 1s", "is healed at 16s, too late to see within the run"),
            ("at: 14s, action: redis.pause, duration: 1s", "is healed at 15s, too late to see within the run"),
        ])
    func late(_ fault: String, _ message: String) throws {
        let found = faults(text("  - {\(fault)}"))
        try #require(found.count == 1, "\(found)")
        #expect(found[0].contains("warning: faults[0] \(message)"), "\(found)")
    }

    @Test(
        "A fault that never happens, too often, or at the end is refused",
        arguments: [
            ("every: 20s", "faults[0] never happens"), ("every: 10ms", "faults[0] would happen 1999 times"),
            ("at: 20s", "faults[0].at is the end of the run"),
            ("at: 21s", "faults[0].at lies after the end of the run"),
        ])
    func times(_ schedule: String, _ message: String) throws {
        let found = faults(text("  - {\(schedule), action: redis.disconnect-clients}"))
        try #require(found.count == 1, "\(found)")
        #expect(found[0].contains("error: \(message)"), "\(found)")
    }
}
