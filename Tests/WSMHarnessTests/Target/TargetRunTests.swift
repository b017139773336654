import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import WSMCore
import WSMHarness
import WSMInstance
import WSMManagers
import WSMRecord
import WSMRedis
import WSMScenario
import WSMVerify

@Suite("A run against a target", .serialized, .timeLimit(.minutes(3)))
struct TargetRunTests {
    func run(
        _ text: String, interruption: Interruption = Interruption(),
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) async throws -> RunResult {
        let result = try await TestRun.perform(text: text, interruption: interruption, progress: progress)
        #expect(result.setup.manager == "target")
        #expect(result.instances.isEmpty)
        #expect(result.stages == StageLatencies())
        return result
    }

    func scenario(_ target: String, warmup: String = "200ms", rest: String = "") -> String {
        """
        name: test
        seed: 3
        warmup: \(warmup)
        duration: 1s
        target: \(target)
        clients: {count: 12, connectRate: 500/s}
        workload:
          - {kind: broadcasts, rate: 60/s, publishers: 2, payload: 300B}
        \(rest)
        """
    }

    func guarantee(_ id: String, of result: RunResult) throws -> GuaranteeResult {
        try #require(result.guarantees.first { $0.id == id })
    }

    /// Two instances of ours for the time of `body`, behind a Redis of their own or alone.
    func withInstances(
        _ kind: ManagerKind, count: Int, _ body: ([LiveInstance], RedisURL?) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let redis = kind == .broadcast ? try await EmbeddedRedis.start() : nil
        var instances: [LiveInstance] = []
        do {
            for number in 0..<count {
                var configuration = LiveInstance.Configuration(
                    manager: .init(policies: .hardened, redis: redis?.url))
                configuration.name = "t\(number)"
                configuration.allowsBroadcast = true
                instances.append(try await LiveInstance.start(configuration, on: group))
            }
            try await body(instances, redis?.url)
        } catch {
            Issue.record(error)
        }
        for instance in instances { _ = try? await instance.stop() }
        await redis?.stop()
        try await group.shutdownGracefully()
    }

    @Test("Our own instances, published to through their Redis, deliver everything")
    func redis() async throws {
        try await withInstances(.broadcast, count: 2) { instances, redis in
            let urls = instances.map { "\"ws://127.0.0.1:\($0.port)/api/ws/events\"" }.joined(separator: ", ")
            let port = try #require(redis?.port)
            let pid = ProcessInfo.processInfo.processIdentifier
            let thresholds = "[resources.redis.connections >= 2, resources.instances.rssBytes > 1MiB]"
            let result = try await run(
                scenario(
                    "{clients: [\(urls)], publish: {via: redis, url: 'redis://127.0.0.1:\(port)'}, pids: [\(pid)]}",
                    rest: "expect: {thresholds: \(thresholds)}"))
            #expect(result.delivery.published > 30)
            #expect(result.delivery.expected == result.delivery.published * 12)
            #expect(result.delivery.received == result.delivery.expected)
            #expect(result.verdict == .passed, "\(result.reason)")
            #expect(result.latency.count == result.delivery.received)
            #expect(try guarantee("cross-instance-reach", of: result).verdict == .holds)
            #expect(result.guarantees.filter(\.promised).map(\.id) == ["integrity", "session-bounds"])
            #expect(result.setup.instances == 2)
            #expect(result.resources.instances.map(\.pid) == [pid])
            // A subscription and a publishing connection for each instance; those of the run are not counted.
            #expect((2...8).contains(result.resources.redis?.connections ?? 0), "\(result.resources)")
            #expect(result.environment.redis != nil)
        }
    }

    @Test("An instance of ours, published to by HTTP, delivers everything")
    func http() async throws {
        try await withInstances(.memory, count: 1) { instances, _ in
            let address = "127.0.0.1:\(instances[0].port)"
            let result = try await run(
                scenario(
                    "{clients: ['ws://\(address)/api/ws/events'], "
                        + "publish: {via: http, url: 'http://\(address)/api/broadcast/events'}}"))
            #expect(result.delivery.published > 30)
            #expect(result.delivery.received == result.delivery.published * 12)
            #expect(result.verdict == .passed, "\(result.reason)")
            #expect(result.resources.instances.isEmpty)
            #expect(result.resources.redis == nil)
            #expect(result.target?.publishFailures == [:])
        }
    }

    @Test("A relay that loses and doubles messages is found out with the exact counts")
    func planted() async throws {
        let relay = try await RelayServer.start { stamp in
            guard stamp.kind == .load else { return .init() }
            return .init(copies: stamp.sequence % 10 == 5 ? 0 : stamp.sequence % 10 == 7 ? 2 : 1)
        }
        let result = try await run(scenario(target(relay), warmup: "0s"))
        await relay.stop()
        let counts = try plannedCounts(relay)
        func messages(_ digit: Int) -> Int { counts.map { $0 / 10 + ($0 % 10 > digit ? 1 : 0) }.reduce(0, +) }
        #expect(messages(5) > 0 && messages(7) > 0)
        #expect(result.delivery.published == counts.reduce(0, +))
        #expect(result.delivery.expected == result.delivery.published * 12)
        #expect(result.delivery.lost == messages(5) * 12)
        #expect(result.delivery.lostByCause == ["unexplained": messages(5) * 12])
        #expect(result.delivery.duplicated == messages(7) * 12)
        #expect(result.delivery.indeterminate == 0)
        #expect(try guarantee("completeness", of: result).violations == messages(5) * 12)
        #expect(try guarantee("at-most-once", of: result).verdict == .violated)
        #expect(try guarantee("integrity", of: result).verdict == .holds)
        // Nobody promised it: what the target must keep to stands in the scenario.
        #expect(try guarantee("completeness", of: result).promised == false)
        #expect(result.exitCode == ExitCode.passed.rawValue)
    }

    @Test("A loss that the scenario does not allow fails the run")
    func expected() async throws {
        let relay = try await RelayServer.start { stamp in
            .init(copies: stamp.kind == .load && stamp.sequence == 5 ? 0 : 1)
        }
        let result = try await run(scenario(target(relay), rest: "expect: {guarantees: {completeness: holds}}"))
        await relay.stop()
        #expect(result.exitCode == ExitCode.guaranteeViolated.rawValue)
    }

    @Test("A publish that is refused is lost for that reason; one without an answer is held against what came")
    func answers() async throws {
        let relay = try await RelayServer.start { stamp in
            guard stamp.kind == .load else { return .init() }
            switch stamp.sequence % 10 {
            case 3: return .init(copies: 0, answer: .status(.serviceUnavailable))
            case 6: return .init(copies: 1, answer: .hangUp)
            default: return .init()
            }
        }
        let result = try await run(scenario(target(relay), warmup: "0s"))
        await relay.stop()
        let counts = try plannedCounts(relay)
        func messages(_ digit: Int) -> Int { counts.map { $0 / 10 + ($0 % 10 > digit ? 1 : 0) }.reduce(0, +) }
        #expect(result.delivery.lostByCause == ["publish-failed": messages(3) * 12])
        #expect(result.delivery.received == (counts.reduce(0, +) - messages(3)) * 12)
        #expect(result.delivery.duplicated == 0, "a message that may have arrived is never sent again")
        #expect(result.target?.publishFailures["HTTP 503"] == messages(3))
        #expect(result.target?.publishFailures.values.reduce(0, +) == messages(3) + messages(6))
    }

    @Test("A target that dies in the middle ends in a balanced ledger")
    func death() async throws {
        let relay = try await RelayServer.start()
        let text = scenario(target(relay)).replacingOccurrences(of: "duration: 1s", with: "duration: 2s")
        let hasCrashed = Monitor(false)
        let result = try await run(text) { progress in
            guard progress.phase == .measuring, progress.elapsed > .milliseconds(500) else { return }
            let isFirst = hasCrashed.update { state in
                defer { state = true }
                return !state
            }
            if isFirst { Task { try await relay.crash() } }
        }
        await relay.stop()
        #expect(hasCrashed.withLock { $0 })
        #expect(result.delivery.received > 0)
        #expect(result.delivery.missedOffline > 0)
        #expect(result.target?.sessionsDropped == 12)
        #expect(result.target?.publishFailures.isEmpty == false)
    }

    @Test("Ctrl-C ends the load, and the result is written")
    func interruption() async throws {
        let relay = try await RelayServer.start()
        let text = scenario(target(relay)).replacingOccurrences(of: "duration: 1s", with: "duration: 60s")
        let interruption = Interruption()
        let result = try await run(text, interruption: interruption) { progress in
            if progress.phase == .measuring, progress.received > 24 { interruption.request() }
        }
        await relay.stop()
        #expect(result.interrupted)
        #expect(result.exitCode == ExitCode.interrupted.rawValue)
        #expect(result.delivery.received == result.delivery.expected)
    }

    @Test("What is not there is named before the run")
    func missing() async throws {
        let relay = try await RelayServer.start(subprotocol: "chosen")
        let address = "127.0.0.1:\(relay.port)"
        let wrong: [(target: String, message: String)] = [
            ("{clients: ['ws://127.0.0.1:1/x?t=SECRET'], \(publish(address))}", "ws://127.0.0.1:1/x?…: the connection"),
            ("{clients: ['ws://\(address)/other'], \(publish(address))}", "/other: HTTP 404"),
            ("{clients: ['ws://\(address)/events'], \(publish(address))}", "/events: what answers is no WebSocket"),
            (
                "{clients: ['ws://\(address)/events'], subprotocols: [chosen], \(publish("127.0.0.1:1"))}",
                "cannot publish to the target at http://127.0.0.1:1/publish: cannot connect: Connection refused"
            ),
            (
                "{clients: ['ws://\(address)/events'], subprotocols: [chosen], "
                    + "publish: {via: redis, url: 'redis://:SECRET@127.0.0.1:1'}}", "redis://:***@127.0.0.1:1/0"
            ),
            (
                "{clients: ['ws://\(address)/events'], subprotocols: [chosen], "
                    + "publish: {via: http, url: 'http://\(address)/nowhere'}}",
                "publishing to the target at http://\(address)/nowhere fails: HTTP 404"
            ),
            (
                "{clients: ['ws://\(address)/events'], subprotocols: [chosen], \(publish(address)), pids: [4194304]}",
                "target.pids: there is no process 4194304 here"
            ),
        ]
        for (target, message) in wrong {
            do {
                _ = try await run(scenario(target))
                Issue.record("a run took place: \(target)")
            } catch {
                #expect(ExitCode(for: error) == .environment, "\(error)")
                #expect("\(error)".contains(message), "\(error)")
                #expect(!"\(error)".contains("SECRET"))
            }
        }
        await relay.stop()
    }

    private func publish(_ address: String) -> String { "publish: {via: http, url: 'http://\(address)/publish'}" }

    private func target(_ relay: RelayServer) -> String {
        "{clients: ['ws://127.0.0.1:\(relay.port)/events'], \(publish("127.0.0.1:\(relay.port)"))}"
    }

    /// How many messages each publisher of a run without a warm-up sends.
    private func plannedCounts(_ relay: RelayServer) throws -> [Int] {
        let loaded = ScenarioFile.parse(text: scenario(target(relay), warmup: "0s"))
        return LoadPlan(try #require(loaded.scenario)).broadcasters.map(\.sendsAt.count)
    }
}
