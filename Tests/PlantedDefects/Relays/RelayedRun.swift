import Foundation
import NIOCore
import NIOPosix
import WSMCore
import WSMHarness
import WSMRedis
import WSMScenario

/// Whole scenario runs with a relay between the clients and each instance, or between the instances and Redis.
enum RelayedRun {
    /// Few run at a time: each has event loops, a Redis and clients of its own, and two cores to share.
    private static let turn = Turn(places: 2)

    /// A short scenario, whose every message is measured.
    static func scenario(
        _ cluster: String, seed: UInt64, clients: String = "count: 4",
        connectRate: String = "100/s", workload: String = "rate: 240/s, payload: 300B",
        redis: String? = nil,
        duration: String = "600ms", bounds: String = ""
    ) throws -> Scenario {
        let server = redis.map { ", redis: {url: \"\($0)\"}" } ?? ""
        let text = """
            name: planted
            seed: \(seed)
            warmup: 0s
            duration: \(duration)
            cluster: {workers: 1, \(cluster)\(server)}
            clients: {connectRate: \(connectRate), reconnect: {initial: 50ms, max: 200ms}, \(clients)}
            workload:
              - {kind: broadcasts, arrival: constant, publishers: 4, \(workload)}
            """ + (bounds.isEmpty ? "" : "\nexpect: {bounds: \(bounds)}")
        let loaded = ScenarioFile.parse(text: text, name: "planted.yaml")
        guard let scenario = loaded.scenario else { throw InvalidScenario(diagnostics: "\(loaded.diagnostics)") }
        return scenario
    }

    /// Runs the scenario with a meddler for each connection of a client.
    static func withFrames(
        _ scenario: Scenario, makeMeddler: @escaping @Sendable () -> any Meddler
    ) async throws -> RunResult {
        try await turn.take {
            var relays: [Relay] = []
            for _ in 0..<scenario.cluster.instances { relays.append(try await Relay.start(makeMeddler: makeMeddler)) }
            let all = relays
            let result = try await run(scenario) { instance, port in
                all[instance].aim(at: port)
                return all[instance].port
            }
            for relay in relays { await relay.stop() }
            return result
        }
    }

    /// Runs what `makeScenario` makes for a Redis behind a relay, with a meddler for each connection of an instance.
    static func withRedis(
        makeScenario: @Sendable (_ redis: String) throws -> Scenario,
        makeMeddler: @escaping @Sendable (_ publishAgain: @escaping @Sendable (ByteBuffer) -> Void) -> any Meddler
    ) async throws -> RunResult {
        try await turn.take {
            let redis = try await EmbeddedRedis.start()
            let port = redis.url.port ?? 0
            let aside = try await SideConnection.connect(to: port)
            let relay = try await Relay.start { makeMeddler { aside.send($0, after: .milliseconds(20)) } }
            relay.aim(at: port)
            let scenario = try makeScenario("redis://127.0.0.1:\(relay.port)")
            let result = try await run(scenario) { $1 }
            await relay.stop()
            await aside.close()
            await redis.stop()
            return result
        }
    }

    /// Runs the scenario with nothing in between.
    static func plain(_ scenario: Scenario) async throws -> RunResult {
        try await turn.take { try await run(scenario) { $1 } }
    }

    private static func run(
        _ scenario: Scenario, clientPort: @escaping @Sendable (Int, Int) -> Int
    ) async throws -> RunResult {
        let folder = NSTemporaryDirectory() + "wsmlab-planted-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = RunOptions(folder: folder, bounds: .countsOnly)
        options.clientPort = clientPort
        return try await ScenarioRun.run(
            scenario: scenario, options: options, progress: { _ in }, interruption: Interruption()
        ).result
    }
}

struct InvalidScenario: Error, CustomStringConvertible {
    let diagnostics: String

    var description: String { "the test's own scenario is invalid: \(diagnostics)" }
}

/// A connection of the test's own to Redis, whose replies nobody reads.
private final class SideConnection: Sendable {
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    static func connect(to port: Int) async throws -> SideConnection {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        return SideConnection(try await bootstrap.connect(host: "127.0.0.1", port: port).get())
    }

    func send(_ bytes: ByteBuffer, after delay: TimeAmount) {
        let channel = self.channel
        channel.eventLoop.scheduleTask(in: delay) { channel.writeAndFlush(bytes, promise: nil) }
    }

    func close() async { try? await channel.close().get() }
}
