import Testing
import WSMCore

@testable import WSMScenario

@Suite("The plan of a load")
struct LoadPlanTests {
    private func example(seed: UInt64 = 1, removing removed: Int? = nil) throws -> Scenario {
        var loaded = try scenario(
            scenarioText(
                """
                seed: \(seed)
                clients: {count: 50, assignment: random, churn: {rate: 5/s}, slow: {count: 5}}
                workload:
                  - {kind: broadcasts, rate: 50/s, publishers: 3}
                  - {kind: processes, rate: 20/s, failed: 20%, suspended: 20%, aborted: 20%, subscriptions: 2}
                  - {kind: broadcasts, rate: 50/s, publishers: 3}
                  - {kind: engine-status, rate: 2/s}
                  - {kind: processes, rate: 10/s, steps: 2}
                  - {kind: broadcasts, rate: 20/s, arrival: constant, publishers: 2}
                """, cluster: "cluster: {instances: 3}"))
        if let removed { loaded.workload.remove(at: removed) }
        return loaded
    }

    @Test("The same seed gives the same bytes, another seed others")
    func determinism() throws {
        let text = LoadPlan(try example()).describe()
        #expect(LoadPlan(try example()).describe() == text)
        #expect(LoadPlan(try example(seed: 2)).describe() != text)
    }

    @Test("The plan of a fixed scenario never changes")
    func pinned() throws {
        let text = """
            name: pinned
            duration: 1s
            warmup: 0s
            seed: 42
            cluster: {instances: 2}
            clients: {count: 3, assignment: {weights: [2, 1]}, churn: {rate: 1/s}, slow: {count: 1}}
            workload:
              - {kind: broadcasts, rate: 2/s, publishers: 2}
              - {kind: processes, rate: 2/s, steps: 2, suspended: 100%}
              - {kind: engine-status, rate: 2/s}
            """
        let lines = LoadPlan(try scenario(text)).describe().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.map(String.init) == LoadPlanTests.pinnedLines)
    }

    @Test("All instants lie within the load and are in order")
    func order() throws {
        let loaded = try example()
        let plan = LoadPlan(loaded)
        let lists =
            [
                plan.churn.map(\.at), plan.processes.map(\.at), plan.engineStatus.map(\.at),
                plan.clients.map(\.connectAt),
            ]
            + plan.broadcasters.map(\.sendsAt)
        for list in lists {
            #expect(!list.isEmpty)
            #expect(list == list.sorted())
            #expect(list.allSatisfy { $0 >= .zero && $0 < loaded.loadDuration })
        }
        #expect(plan.broadcasters.map(\.index) == Array(0..<8))
        #expect(plan.broadcasters.map(\.workload) == [0, 0, 0, 2, 2, 2, 5, 5])
        #expect(plan.broadcasters.map(\.instance) == [0, 1, 2, 0, 1, 2, 0, 1])
        #expect(plan.processes.map(\.index) == Array(plan.processes.indices))
        #expect(Set(plan.processes.map(\.id)).count == plan.processes.count)
        #expect(plan.engineStatus.allSatisfy { !$0.globalLock })
    }

    @Test("Taking a workload away leaves the draws of the others", arguments: 0..<6)
    func removal(_ removed: Int) throws {
        let whole = LoadPlan(try example())
        let rest = LoadPlan(try example(removing: removed))
        // The first and the third are equal: it is the second of them that goes, whichever was taken from the list.
        let gone = removed == 0 ? 2 : removed
        #expect(
            rest.broadcasters.map(\.sendsAt) == whole.broadcasters.filter { $0.workload != gone }.map(\.sendsAt))
        let kept = whole.processes.filter { $0.workload != gone }
        #expect(rest.processes.map(\.at) == kept.map(\.at))
        #expect(rest.processes.map(\.id) == kept.map(\.id))
        #expect(rest.processes.map(\.steps) == kept.map(\.steps))
        #expect(rest.processes.map(\.ending) == kept.map(\.ending))
        #expect(rest.engineStatus == (removed == 3 ? [] : whole.engineStatus))
        #expect(rest.clients == whole.clients)
        #expect(rest.churn == whole.churn)
    }

    @Test("Equal workloads draw different numbers")
    func equalWorkloads() throws {
        let plan = LoadPlan(try example())
        #expect(Set(plan.broadcasters.prefix(6).map(\.sendsAt)).count == 6)
    }

    @Test("One client less changes only what was its own")
    func fewerClients() throws {
        var fewer = try example()
        let whole = LoadPlan(fewer)
        fewer.clients.count -= 1
        let rest = LoadPlan(fewer)
        let last = fewer.clients.count
        for (left, right) in zip(whole.churn, rest.churn) where left.client != last { #expect(left == right) }
        #expect(whole.clients.map(\.instance).dropLast() == rest.clients.map(\.instance)[...])
        let changed = zip(whole.clients, rest.clients).filter { $0.readRate != $1.readRate }.count
        #expect(changed <= 1)
        #expect(rest.clients.filter { $0.readRate == 4096 }.count == 5)
    }

    @Test("Constant arrivals are evenly spaced over all publishers")
    func constantArrivals() throws {
        let loaded = try scenario(
            scenarioText("warmup: 0s\nworkload: [{kind: broadcasts, rate: 100/s, publishers: 3, arrival: constant}]"))
        let sends = LoadPlan(loaded).broadcasters.flatMap(\.sendsAt).sorted()
        #expect(sends == (0..<500).map { TimeSpan.milliseconds(Int64($0) * 10) })
    }

    @Test("A workload's rate is the total over its publishers", arguments: 1...5 as ClosedRange<UInt64>)
    func poissonRate(_ seed: UInt64) throws {
        let loaded = try scenario(
            "name: a\nseed: \(seed)\nwarmup: 0s\nduration: 200s\ncluster: {}\n"
                + "workload: [{kind: broadcasts, rate: 50/s, publishers: 4}, {kind: processes, rate: 50/s}]")
        let plan = LoadPlan(loaded)
        let sends = plan.broadcasters.flatMap(\.sendsAt).sorted()
        // 10,000 are expected; a Poisson count has the standard deviation 100, and five of them are allowed.
        #expect((9500...10_500).contains(sends.count), "seed \(seed)")
        #expect((9500...10_500).contains(plan.processes.count), "seed \(seed)")
        // The gaps of a Poisson process have a standard deviation equal to their mean, 20 ms.
        let gaps = zip(sends.dropFirst(), sends).map { ($0 - $1).seconds }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(gaps.count)
        #expect((0.9...1.1).contains(variance.squareRoot() / mean), "seed \(seed)")
    }

    @Test("Processes end as their shares say, in one of their own steps")
    func endings() throws {
        let loaded = try scenario(
            "name: a\nduration: 1000s\ncluster: {}\nworkload: [{kind: processes, rate: 10/s, steps: 3, "
                + "failed: 10%, suspended: 20%, resumeAfter: 7ms, aborted: 30%}]")
        var counts = [0, 0, 0, 0]
        let plan = LoadPlan(loaded)
        for process in plan.processes {
            #expect(process.steps.count == 3)
            switch process.ending {
            case .completed: counts[0] += 1
            case .failed(let step):
                counts[1] += 1
                #expect((0...2).contains(step))
            case .suspended(let step, let wait):
                counts[2] += 1
                #expect((0...1).contains(step))
                #expect(wait == .milliseconds(7))
            case .aborted(let step):
                counts[3] += 1
                #expect((0...1).contains(step))
            }
        }
        // The standard deviation of a share of 10,000 is at most 0.5 %; five of them are allowed.
        for (count, share) in zip(counts, [0.4, 0.1, 0.2, 0.3]) {
            #expect(abs(Double(count) / Double(plan.processes.count) - share) < 0.025)
        }
    }

    @Test("Clients are spread over the instances as the assignment says")
    func assignment() throws {
        func shares(_ assignment: String, instances: Int) throws -> [Int] {
            let text = scenarioText(
                "clients: {count: 1000, assignment: \(assignment)}", cluster: "cluster: {instances: \(instances)}")
            let clients = LoadPlan(try scenario(text)).clients
            return (0..<instances).map { instance in clients.filter { $0.instance == instance }.count }
        }
        #expect(try shares("round-robin", instances: 3) == [334, 333, 333])
        for share in try shares("random", instances: 4) { #expect(abs(share - 250) < 70) }
        #expect(try shares("{weights: [3, 0, 1]}", instances: 3) == [750, 0, 250])
        #expect(try shares("{weights: [6, 4]}", instances: 2) == [600, 400])
        for share in try shares("{weights: [1000000, 999999]}", instances: 2) { #expect(abs(share - 500) <= 3) }
    }

    @Test("The longest plan that is allowed is drawn without an overflow")
    func extremes() throws {
        let loaded = try scenario(
            """
            name: a
            warmup: 1h
            duration: 24h
            cluster: {instances: 1000}
            clients: {count: 9, connectRate: 0.0002/s, churn: {rate: 0.0001/s}, assignment: random}
            workload:
              - {kind: processes, rate: 0.01/s, stepDuration: 'lognormal(1h, 5)', steps: 100}
              - {kind: broadcasts, rate: 0.0001/s, publishers: 4096, arrival: constant}
            """)
        let plan = LoadPlan(loaded)
        #expect(plan.processes.flatMap(\.steps).max() == .seconds(3600))
        #expect(plan.processes.flatMap(\.steps).allSatisfy { $0 >= .zero })
        #expect(plan.clients.last?.connectAt == .seconds(40_000))
        #expect(plan.broadcasters.flatMap(\.sendsAt) == (0..<9).map { .seconds($0 * 10_000) })
    }

    @Test("Clients connect at the rate of the scenario")
    func connects() throws {
        let clients = LoadPlan(try scenario(scenarioText("clients: {count: 5, connectRate: 10/s}"))).clients
        #expect(clients.map(\.connectAt) == (0..<5).map { .milliseconds($0 * 100) })
    }

    @Test("A payload weighs what was asked for once it is stamped", arguments: [Limits.payload.lowerBound, 256, 4096])
    func payload(_ bytes: Int) {
        let stamp = ProbeStamp(
            run: 1, publisher: PublisherID(2), sequence: 3, intended: MonotonicInstant(nanoseconds: 4))
        let message = stamp.appended(to: BroadcastPayload.json(bytes: bytes))
        #expect(message.count == bytes)
        #expect(message.withUnsafeBytes { ProbeStamp.read($0) } != .foreign)
    }
}
