import Foundation
import Testing
import WSMCore
import WSMManagers
import WSMRecord
import WSMScenario
import WSMSimulation
import WSMVerify

@testable import WSMHarness

/// What instances do to their clients, each as a scenario for live and for simulated ones.
enum InstanceBehaviour: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case delivery = "each client gets each message once"
    case reference = "the reference delivers too"
    case memory = "in memory a message stays at its instance"
    case pongs = "every ping is answered in time"
    case stop = "a hardened stop closes each client with a close frame"
    case skippingStop = "the stop of the reference leaves every second client without a close frame"
    case kill = "who is killed drops its clients"
    case closedGap = "clients are closed after a gap"
    case markedGap = "clients are told of a gap and stay"
    case poolLimit = "who comes after the pool's last connection is accepted and dropped, again and again"
    case reset = "clients whose connections are reset come back"
    case cutRedis = "a cut link to Redis is lost, and its clients are told of the gap"
    case restedRedis = "a link to Redis that goes on after a cut has lost nothing"
    case cutClients = "clients behind a cut link are reset once it is healed"
    case restedClients = "clients behind a link that goes on after a cut lose nothing"
    case newClients = "who connects during a cut waits for its end"
    case delayedRedis = "a delayed link to Redis loses nothing"
    case delayedClients = "delayed links to clients lose nothing"
    case throttledRedis = "a throttled link to Redis loses nothing"
    case throttledClients = "throttled links to clients lose nothing"
    case unansweredPings = "clients whose pings are not answered give up before the link tells them"

    var testDescription: String { rawValue }

    var scenarioText: String {
        """
        name: conformance
        seed: 5
        warmup: 200ms
        duration: 2500ms
        cluster: {profile: \(profile), manager: \(manager), instances: 2, workers: 2, gapMark: \(gapMark)\(pool)}
        clients: {count: 20, connectRate: 500/s, reconnect: {initial: 50ms, max: 200ms}\(clients)}
        workload:
          - {kind: broadcasts, rate: 40/s, publishers: 2, payload: 300B}
        \(fault.map { "faults: [{at: 800ms, \($0)}]" } ?? "")
        """
    }

    private var profile: String {
        [.reference, .skippingStop, .poolLimit].contains(self) ? "reference" : "hardened"
    }
    private var pool: String { self == .poolLimit ? ", redisPool: 4" : "" }
    private var manager: String { self == .memory ? "memory" : "broadcast" }
    private var gapMark: String { self == .markedGap ? "event" : "close" }
    private var clients: String {
        switch self {
        case .pongs: ", ping: 200ms, pongTimeout: 10s"
        case .unansweredPings: ", ping: 100ms, pongTimeout: 200ms"
        case .newClients: ", churn: {rate: 20/s}"
        default: ""
        }
    }

    private var fault: String? {
        switch self {
        case .delivery, .reference, .memory, .pongs, .poolLimit: nil
        case .stop, .skippingStop: "action: instance.stop, target: 1, restartAfter: 300ms"
        case .kill: "action: instance.kill, target: 1, restartAfter: 300ms"
        case .closedGap, .markedGap: "action: redis.restart, downtime: 300ms"
        case .reset: "action: clients.disconnect, share: 30%, how: reset"
        case .cutRedis: "action: link.cut, target: 0, duration: 500ms"
        case .restedRedis: "action: link.cut, target: 0, duration: 500ms, afterwards: resume"
        case .cutClients: "action: link.cut, between: clients, target: 0, duration: 500ms"
        case .restedClients, .newClients:
            "action: link.cut, between: clients, target: 0, duration: 500ms, afterwards: resume"
        case .delayedRedis: "action: link.delay, duration: 800ms, delay: 'uniform(1ms, 60ms)'"
        case .delayedClients: "action: link.delay, between: clients, duration: 800ms, delay: 80ms"
        case .throttledRedis: "action: link.throttle, duration: 800ms, rate: 20KiB/s"
        case .throttledClients: "action: link.throttle, between: clients, duration: 800ms, rate: 10KiB/s"
        case .unansweredPings: "action: link.cut, between: clients, target: 0, duration: 1s"
        }
    }
}

/// What a run says of its instances that does not depend on how fast a machine is.
struct RunTranscript: Hashable, CustomStringConvertible {
    /// These compare times with bounds.
    private static let ofTimes: Set<String> = ["recovery", "isolation", "bounded-lag"]

    let lines: [String]

    /// - Parameter loops: What the clients' event loops observed; of a live run as its trace has it.
    init(_ result: RunResult, _ loops: [LoopRecord]) {
        var lines = result.guarantees.filter { !Self.ofTimes.contains($0.id) && $0.promised }.map {
            "\($0.id) \($0.verdict)"
        }
        lines.append("\(result.clients.connected) of \(result.clients.planned) connected")
        lines.append("\(result.delivery.duplicated) duplicated")
        lines.append("first sessions: \(Self.ends(loops))")
        if result.faults.isEmpty {
            lines.append("connected anew: \(result.clients.reconnects > 0)")
            lines.append("messages missed while offline: \(result.delivery.missedOffline > 0)")
        }
        lines.append("\(result.delivery.lostByCause["unexplained"] ?? 0) lost without a cause")
        lines.append("other causes of loss: \(Self.causes(result))")
        for fault in result.faults {
            lines.append(
                "\(fault.action): \(fault.hit.instances) instances hit, \(fault.closedClients) closed, \(fault.droppedClients) dropped, "
                    + "\(fault.markedClients) told of a gap, \(fault.reconnectedClients) came back, "
                    + "failure \(fault.failure ?? "none")")
        }
        self.lines = lines
    }

    /// How the first session of each client ended, close codes as numbers (RFC 6455, section 7.4), and how many ended so.
    ///
    /// Later sessions depend on how soon a client came back.
    private static func ends(_ loops: [LoopRecord]) -> String {
        var first: [UInt32: ObservedSession] = [:]
        for session in loops.flatMap(\.sessions) {
            if let known = first[session.client], known.attemptedAt <= session.attemptedAt { continue }
            first[session.client] = session
        }
        var counts: [String: Int] = [:]
        for session in first.values { counts[word(for: session.end), default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private static func word(for end: SessionEnd?) -> String {
        switch end {
        case .closedByServer(let code): "closed \(code)"
        case .dropped: "dropped"
        case .churned: "churned"
        case .protocolError: "broke the protocol"
        case .runEnded, nil: "open at the end"
        }
    }

    /// Whether a publisher notices the death of its Redis before or after it has sent something is a matter of microseconds.
    private static func causes(_ result: RunResult) -> [String] {
        guard result.faults.allSatisfy({ $0.action != "redis.restart" }) else { return ["left out"] }
        return result.delivery.lostByCause.filter { $0.value > 0 }.keys.sorted()
    }

    var description: String { lines.joined(separator: "\n") }
}

/// Closes every client that is to be told of a gap with the code of a stop.
private final class WrongCode: Saboteur {
    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        for place in effects.indices {
            guard case .close(let recipients, let close) = effects[place], close.code == 1012 else { continue }
            effects[place] = .close(recipients, ClientClose(code: 1001, reason: "Shutting down"))
        }
    }
}

@Suite("Simulated instances do what live ones do", .serialized, .timeLimit(.minutes(5)))
struct InstanceConformanceTests {
    private func simulate(
        _ text: String, overrides: [(String, String)] = [], sabotage: Sabotage? = nil
    ) async throws -> RunTranscript {
        let loaded = ScenarioFile.parse(text: text, name: "test.yaml", overrides: overrides)
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        return try await DedicatedThread.perform(name: "simulate") {
            let measurement = try SimulatedRun.simulate(
                scenario, sabotage: sabotage, progress: { _ in }, interruption: Interruption())
            let result = measurement.result(
                try measurement.settle(), scenario: scenario, startedAt: "", bounds: .standard)
            return RunTranscript(result, measurement.loops)
        }
    }

    private func perform(_ text: String) async throws -> RunTranscript {
        var loops: [LoopRecord] = []
        let result = try await TestRun.perform(
            text: text,
            check: { folder, _ in
                var replay = TraceReplay()
                _ = try TraceFile.read(StoredRun(folder).tracePath) { (chunk) throws(TraceError) in
                    try replay.take(chunk)
                }
                loops = replay.loops
            })
        return RunTranscript(result, loops)
    }

    @Test("The same scenario gives the same transcript", arguments: InstanceBehaviour.allCases)
    func conformance(behaviour: InstanceBehaviour) async throws {
        let told = try await simulate(behaviour.scenarioText)
        let seen = try await perform(behaviour.scenarioText)
        #expect(told == seen, "simulated:\n\(told)\nlive:\n\(seen)")
    }

    @Test("An instance that does not tell its clients of a gap gives another transcript")
    func plantedDifference() async throws {
        let sound = try await simulate(InstanceBehaviour.markedGap.scenarioText)
        let broken = try await simulate(
            InstanceBehaviour.markedGap.scenarioText, overrides: [("cluster.brokerLoss", "resubscribe-silently")])
        #expect(sound != broken)
    }

    @Test(
        "How sessions ended is in the transcript: close codes as numbers, and a reset after a cut is told from links that go on",
        arguments: [
            (InstanceBehaviour.closedGap, "20 closed 1012"), (.stop, "20 closed 1001"),
            (.kill, "10 closed 1001, 10 dropped"), (.cutClients, "10 closed 1001, 10 dropped"),
            (.restedClients, "20 closed 1001"), (.cutRedis, "10 closed 1001, 10 closed 1012"),
        ])
    func ends(behaviour: InstanceBehaviour, ends: String) async throws {
        let told = try await simulate(behaviour.scenarioText)
        #expect(told.lines.contains("first sessions: \(ends)"), "\(told)")
    }

    @Test("An instance that closes after a gap with another code gives another transcript")
    func plantedCode() async throws {
        let broken = try await simulate(
            InstanceBehaviour.closedGap.scenarioText, sabotage: Sabotage { WrongCode() })
        #expect(broken.lines.contains("first sessions: 20 closed 1001"), "\(broken)")
    }
}
