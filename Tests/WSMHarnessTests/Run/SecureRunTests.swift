import Foundation
import NIOCore
import NIOPosix
import Testing
import WSMCertificates
import WSMCore
import WSMHarness
import WSMInstance
import WSMManagers
import WSMRedis
import WSMScenario
import WSMTLS

@Suite("A run with TLS, users and tokens", .serialized, .timeLimit(.minutes(3)))
struct SecureRunTests {
    func secured(auth: String, clients: String = "") -> String {
        """
        name: test
        seed: 3
        warmup: 200ms
        duration: 1s
        cluster:
          {instances: 2, workers: 3, tls: true, auth: \(auth), redis: {mode: embedded, tls: true, acl: true}}
        clients: {count: 20, connectRate: 500/s\(clients)}
        workload:
          - {kind: processes, rate: 10/s, steps: 3, stepDuration: exponential(5ms)}
          - {kind: broadcasts, rate: 40/s, publishers: 2}
          - {kind: broadcasts, rate: 5/s, channel: processes}
        """
    }

    @Test("Everything arrives at the clients with a right, and each of the others is refused as it should be")
    func secure() async throws {
        let auth = ", auth: {expired: 20%, wrong: 10%, forbidden: 5%, malformed: 5%}"
        let result = try await ScenarioRunTests().run(secured(auth: "token", clients: auth))
        #expect(result.verdict == .passed, "\(result.reason)")
        #expect(result.delivery.expected > 40 * 12)
        #expect(result.delivery.received == result.delivery.expected)
        let refused = try #require(result.clients.refused)
        let kinds = refused.byName.prefix(4).map(\.count)
        #expect(kinds == [4, 2, 1, 1])
        #expect(refused.total == 8 && refused.violation == nil)
        #expect(result.clients.connected == 12 && result.clients.failed == 0)
        #expect(result.environment.redis != nil)
        #expect((result.resources.redis?.connections ?? 0) > 0)
    }

    @Test(
        "So it is where instances, clients and workers are processes of their own", arguments: ["threadpool", "worker"])
    func processes(executor: String) async throws {
        let auth = ", auth: {expired: 20%, wrong: 10%, forbidden: 5%, malformed: 5%}"
        let loaded = ScenarioFile.parse(
            text: secured(auth: "token", clients: auth), name: "test.yaml",
            overrides: [("cluster.placement", "processes"), ("cluster.executor", executor)])
        let result = try await ProcessRunTests().run(loaded.scenario)
        #expect(result.verdict == .passed, "\(result.reason)")
        #expect(result.delivery.received == result.delivery.expected)
        let kinds = try #require(result.clients.refused).byName.map(\.count)
        #expect(kinds == [4, 2, 1, 1, 0, 0, 0])
        #expect(result.clients.connected == 12 && result.clients.failed == 0)
    }

    @Test("A client that was let in without a right fails the run, and so does a valid one that was refused")
    func violations() {
        var refused = RefusedClients()
        refused.expired = 3
        #expect(judge(refused).exitCode == .passed)
        refused.admitted = 1
        #expect(judge(refused).exitCode == .guaranteeViolated)
        refused.admitted = 0
        refused.validRefused = 2
        #expect(judge(refused).exitCode == .guaranteeViolated)
        #expect(judge(refused).reason.contains("2 sessions"))
    }

    private func judge(_ refused: RefusedClients) -> RunVerdict.Judgement {
        var delivery = DeliveryCounts()
        delivery.expected = 1
        delivery.received = 1
        return RunVerdict.judge(
            validity: Validity(), delivery: delivery, thresholds: [], guarantees: [], refused: refused,
            interrupted: false)
    }

    /// Serves an instance with files for its certificate and key, as `wsmlab serve` does.
    func withServer(_ body: (_ port: Int, _ folder: String, _ redis: EmbeddedRedis) async throws -> Void) async throws {
        let authority = try RunAuthority(now: Date())
        let identity = try authority.issue()
        let folder = NSTemporaryDirectory() + "wsmlab-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in [
            ("ca.pem", authority.certificate), ("server.pem", identity.certificate),
            ("server.key", identity.privateKey),
            ("other.pem", try RunAuthority(now: Date()).certificate),
        ] {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let redis = try await EmbeddedRedis.start(
            .init(
                tls: .init(
                    identity: TLSIdentity(certificate: identity.certificate, privateKey: identity.privateKey),
                    authority: authority.certificate)))
        let interruption = Interruption()
        let (ready, report) = AsyncStream.makeStream(of: String.self)
        let options = ServeOptions(
            manager: .broadcast, redisURL: redis.url.description, port: 0,
            tls: (certificate: "\(folder)/server.pem", key: "\(folder)/server.key"))
        let server = Task {
            defer { report.finish() }
            try await InstanceServer.serve(options: options, ready: { report.yield($0) }, interruption: interruption)
        }
        var addresses = ready.makeAsyncIterator()
        let address = await addresses.next()
        do {
            let port = try #require(address?.split(separator: ":").last.flatMap { Int($0) })
            try await body(port, folder, redis)
        } catch {
            Issue.record(error)
        }
        interruption.request()
        try await server.value
        await redis.stop()
    }

    @Test("A target is reached through wss and rediss with an authority of its own, and only with that")
    func target() async throws {
        try await withServer { port, folder, redis in
            let text = { (authority: String) in
                """
                name: test
                warmup: 200ms
                duration: 1s
                target:
                  clients: ["wss://localhost:\(port)/api/ws/events"]
                  \(authority)
                  publish: {via: redis, url: "\(redis.url)"}
                clients: {count: 5}
                workload: [{kind: broadcasts, rate: 50/s}]
                """
            }
            let result = try await TargetRunTests().run(text("certificateAuthority: \(folder)/ca.pem"))
            #expect(result.verdict == .passed, "\(result.reason)")
            #expect(result.delivery.received == result.delivery.published * 5)
            for (authority, advice) in [
                ("certificateAuthority: \(folder)/other.pem", "target.certificateAuthority"),
                ("", "target.certificateAuthority"), ("certificateAuthority: /nowhere.pem", "/nowhere.pem"),
            ] {
                let error = await #expect(throws: HarnessError.self) { try await TargetRunTests().run(text(authority)) }
                #expect(error?.code == .targetUnavailable)
                #expect(error?.message.contains(advice) == true, "\(String(describing: error))")
            }
        }
    }

    @Test("A certificate that cannot be served ends with an error of the environment that names the file")
    func unusable() async throws {
        let options = ServeOptions(port: 0, tls: (certificate: "/nowhere.pem", key: "/nowhere.key"))
        let error = await #expect(throws: HarnessError.self) {
            try await InstanceServer.serve(options: options, ready: { _ in }, interruption: Interruption())
        }
        #expect(error?.code == .certificateUnusable)
        #expect(error?.code.exitCode == .environment)
        #expect(error?.message.contains("/nowhere.pem") == true)
    }
}
