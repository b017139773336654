import Testing
import WSMCore

@testable import WSMScenario

@Suite("The model of a scenario")
struct ScenarioTests {
    @Test("Only a name, a duration and a cluster are needed; the rest has defaults")
    func defaults() throws {
        let loaded = try scenario("name: a\nduration: 10s\ncluster: {}\n")
        #expect(loaded == Scenario(name: "a", duration: .seconds(10)))
        #expect(loaded.seed == 1)
        #expect(loaded.warmup == .seconds(1))
        #expect(loaded.cluster.profile == .hardened)
        #expect(loaded.cluster.manager == .broadcast)
        #expect(loaded.cluster.instances == 1)
        #expect(loaded.cluster.workers == 5)
        #expect(loaded.clients.count == 0)
        #expect(loaded.clients.connectRate.perSecond == 500)
        #expect(loaded.clients.ping == .seconds(30))
        #expect(loaded.clients.churn.perSecond == 0)
        #expect(loaded.clients.reconnect.policy.max == .seconds(5))
    }

    @Test("A profile sets all policies")
    func profiles() throws {
        let hardened = try scenario(scenarioText(cluster: "cluster: {profile: hardened}")).cluster
        #expect(hardened.subscription == .shared)
        #expect(hardened.publishing == .persistent)
        #expect(hardened.fanOut == .isolated)
        #expect(hardened.threadOnError == .continue)
        #expect(hardened.redisPool == nil)
        #expect(hardened.brokerLoss == .resubscribeMarked)
        #expect(hardened.slowClient == SlowClientSpec(policy: .disconnect, limit: 1 << 20))
        let reference = try scenario(scenarioText(cluster: "cluster: {profile: reference}")).cluster
        #expect(reference.subscription == .perClient)
        #expect(reference.publishing == .perBroadcast)
        #expect(reference.fanOut == .serial)
        #expect(reference.threadOnError == .exit)
        #expect(reference.redisPool == 100)
        #expect(reference.brokerLoss == .retryThenDrop)
        #expect(reference.slowClient.policy == .buffer)
    }

    @Test("A key of its own overrides the profile, and only there")
    func profileOverridden() throws {
        let text = "cluster: {fanOut: isolated, redisPool: unlimited, slowClient: {policy: drop}, profile: reference}"
        var expected = ClusterSpec(profile: .reference)
        expected.fanOut = .isolated
        expected.redisPool = nil
        expected.slowClient = SlowClientSpec(policy: .drop)
        #expect(try scenario(scenarioText(cluster: text)).cluster == expected)
    }

    @Test("Every key of the contract's example arrives in the model")
    func everyKey() throws {
        let loaded = try scenario(
            """
            {name: q, description: d, seed: 18446744073709551615, warmup: 0s, duration: 2m,
             cluster: {manager: memory, instances: 2, placement: in-process, executor: threadpool, workers: 7,
               redis: {mode: embedded}},
             clients: {count: 200, transport: websocket, assignment: {weights: [3, 1]}, connectRate: 1k/s, ping: 10s,
               churn: {rate: 5/s}, slow: {count: 2, readRate: 8KiB/s}, reconnect: {initial: 200ms, max: 3s}},
             workload: [
               {kind: processes, rate: 20/s, arrival: constant, steps: 4, stepDuration: 'uniform(1ms, 2ms)',
                 subscriptions: 3, failed: 5%, suspended: 6%, resumeAfter: 70ms, aborted: 8%},
               {kind: broadcasts, rate: 100/s, publishers: 4, payload: 1KiB, channel: events},
               {kind: engine-status, rate: 0.2/s}],
             expect: {guarantees: {no-silent-loss: any}, thresholds: ['latency.p99<50ms']}}
            """)
        var expected = Scenario(name: "q", duration: .seconds(120))
        expected.description = "d"
        expected.seed = .max
        expected.warmup = .zero
        expected.cluster.manager = .memory
        expected.cluster.instances = 2
        expected.cluster.workers = 7
        expected.clients = ClientsSpec(count: 200)
        expected.clients.assignment = .weights([3, 1])
        expected.clients.connectRate = Rate(perSecond: 1000)
        expected.clients.ping = .seconds(10)
        expected.clients.churn = Rate(perSecond: 5)
        expected.clients.slow = SlowReadersSpec(count: 2, readRate: 8192)
        expected.clients.reconnect = ReconnectSpec(initial: .milliseconds(200), max: .seconds(3))
        expected.workload = everyWorkload
        expected.expect.guarantees = [.noSilentLoss: .any]
        expected.expect.thresholds = [try Threshold.parse("latency.p99 < 50ms").get()]
        #expect(loaded == expected)
    }

    private var everyWorkload: [WorkloadSpec] {
        var processes = ProcessesSpec(rate: Rate(perSecond: 20))
        processes.arrival = .constant
        processes.steps = 4
        processes.stepDuration = .uniform(from: .milliseconds(1), to: .milliseconds(2))
        processes.subscriptions = 3
        processes.failed = Share(millionths: 50_000)
        processes.suspended = Share(millionths: 60_000)
        processes.resumeAfter = .milliseconds(70)
        processes.aborted = Share(millionths: 80_000)
        var broadcasts = BroadcastsSpec(rate: Rate(perSecond: 100))
        broadcasts.publishers = 4
        broadcasts.payload = 1024
        return [
            .processes(processes), .broadcasts(broadcasts), .engineStatus(EngineStatusSpec(rate: Rate(perSecond: 0.2))),
        ]
    }

    @Test(
        "A written scenario reads back as the same",
        arguments: 1...40 as ClosedRange<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var generator = RandomScenario(seed: seed)
        for _ in 0..<10 {
            let original = generator.draw()
            let text = original.yaml()
            #expect(try scenario(text) == original, "seed \(seed):\n\(text)")
            #expect(try scenario(text).yaml() == text)
        }
    }

    @Test("Every key that has a default is written out")
    func everyDefaultIsWritten() {
        let text = Scenario(name: "a", duration: .seconds(1)).yaml()
        // What is absent by default: no client gives up on a ping, the system sizes its buffers, and the file limit decides on
        // the processes.
        let absent = ["pongTimeout", "sendBuffer", "processes"]
        for format in [ScenarioFormat.cluster, ScenarioFormat.clients] {
            for key in format.keys where !absent.contains(key.name) {
                #expect(text.contains("\n  \(key.name): "), "\(key.name)")
            }
        }
    }

    @Test("Faults are written as the format reads them")
    func faults() throws {
        var original = Scenario(name: "a", duration: .seconds(20))
        var restart = FaultSpec(action: .redisRestart, schedule: .at(.seconds(4)))
        restart.downtime = .milliseconds(500)
        var kill = FaultSpec(action: .instanceKill, schedule: .at(.seconds(7)))
        kill.target = 0
        kill.restartAfter = .seconds(1)
        var cut = FaultSpec(action: .redisDisconnectClients, schedule: .every(.seconds(5)))
        cut.share = Share(millionths: 500_000)
        var link = FaultSpec(action: .linkCut, schedule: .at(.seconds(12)))
        link.duration = .seconds(1)
        link.between = .clients
        link.afterwards = .resume
        var delay = FaultSpec(action: .linkDelay, schedule: .at(.seconds(13)))
        delay.duration = .seconds(1)
        delay.delay = .exponential(mean: .milliseconds(5))
        var gone = FaultSpec(action: .clientsDisconnect, schedule: .every(.seconds(6)))
        gone.how = .vanish
        original.faults = [restart, kill, cut, link, delay, gone]
        #expect(try scenario(original.yaml()) == original)
    }
}
