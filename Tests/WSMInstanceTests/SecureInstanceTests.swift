import Foundation
import NIOCore
import NIOPosix
import Testing
import WSMCertificates
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord
import WSMTLS

@Suite("An instance behind TLS", .timeLimit(.minutes(2)))
struct SecureInstanceTests {
    let authority: RunAuthority

    init() throws { authority = try RunAuthority(now: Date()) }

    func identity(_ authority: RunAuthority) throws -> TLSIdentity {
        let identity = try authority.issue()
        return TLSIdentity(certificate: identity.certificate, privateKey: identity.privateKey)
    }

    func fleet(
        _ fixture: InstanceFixture, trust: TLSTrust?, host: String = "127.0.0.1", deadline: TimeSpan = .seconds(20)
    ) -> ClientFleet<Receipts> {
        let endpoints = fixture.instances.map {
            ClientEndpoint(host: host, port: $0.port, path: "/api/ws/events", trust: trust)
        }
        return ClientFleet<Receipts>(
            loops: testLoops.all, endpoints: endpoints,
            options: FleetOptions(pingInterval: .milliseconds(50), seed: 1, connectDeadline: deadline)
        ) { _ in Receipts() }
    }

    @Test(
        "Clients over wss get every broadcast in order, slow readers too, and one close 1001 at the stop",
        arguments: [ManagerKind.memory, .broadcast])
    func delivery(kind: ManagerKind) async throws {
        let identity = try identity(authority)
        try await InstanceFixture.with(kind, change: { $0.identity = identity }) { fixture in
            let fleet = fleet(fixture, trust: .pem(authority.certificate), host: "localhost")
            let plan = (0..<10).map {
                FleetClient(index: UInt32($0), instance: 0, connectAt: .zero, readRate: $0 == 9 ? 400_000 : nil)
            }
            try await fleet.connectAll(plan, startingAt: .now())
            try await fleet.awaitConnected(deadline: .now() + .seconds(20))
            try await fixture.awaitClients(10)
            // From below one TLS record to several of them, so that frames are cut at every place.
            let texts = (0..<60).map { #"{"n":\#($0),"text":"\#(String(repeating: "x", count: $0 * 997))"}"# }
            // Not all at once: a turn of the loop that held more than the policy's limit would evict everybody.
            for start in stride(from: 0, to: texts.count, by: 10) {
                #expect(await fixture.broadcast(Array(texts[start..<start + 10])))
                try await eventually("them at the fast clients", within: 60) {
                    try await fleet.withSinks(\.byClient)[0].values.filter { $0.count >= start + 10 }.count >= 9
                }
            }
            try await eventually("all messages at each client", within: 60) {
                try await fleet.withSinks(\.byClient)[0].values.filter { $0.count == texts.count }.count == 10
            }
            // Not shown: a failure would print megabytes.
            let all = try await fleet.withSinks(\.byClient)[0].values.allSatisfy { $0 == texts }
            #expect(all)
            fleet.releaseSlowReaders()
            try await eventually("pongs") { await fleet.statistics().pongsReceived >= 10 }
            await fleet.awaitCloses()
            let report = try await fixture.instances[0].stop()
            #expect(report.clientsCut == 0)
            let sinks = try await fleet.finish()
            #expect(sinks.flatMap { $0.ends.values } == Array(repeating: .closedByServer(code: 1001), count: 10))
        }
    }

    @Test("A client refuses the certificate of another authority, and TLS where there is none; each has its reason")
    func refused() async throws {
        let other = try identity(try RunAuthority(now: Date()))
        for (server, trust, reason) in [
            (other, TLSTrust.pem(authority.certificate), "certificate refused"),
            (nil, .pem(authority.certificate), "no TLS there"),
        ] as [(TLSIdentity?, TLSTrust?, String)] {
            try await InstanceFixture.with(.memory, change: { $0.identity = server }) { fixture in
                let fleet = fleet(fixture, trust: trust)
                try await fleet.connectAll([FleetClient(index: 0, instance: 0, connectAt: .zero)], startingAt: .now())
                try await eventually("the failure") { await !fleet.statistics().failures.isEmpty }
                #expect(await fleet.statistics().failures == [reason: 1])
                #expect(await fleet.statistics().opened == 0)
                #expect(try await fixture.instances[0].manager.openSockets() == 0)
                _ = try await fleet.finish()
            }
        }
    }

    @Test("A client without TLS does not get into an instance with it")
    func plainClient() async throws {
        let identity = try identity(authority)
        try await InstanceFixture.with(.memory, change: { $0.identity = identity }) { fixture in
            let fleet = fleet(fixture, trust: nil)
            try await fleet.connectAll([FleetClient(index: 0, instance: 0, connectAt: .zero)], startingAt: .now())
            try await eventually("the failure") { await !fleet.statistics().failures.isEmpty }
            #expect(await fleet.statistics().opened == 0)
            _ = try await fleet.finish()
        }
    }

    @Test("A client that is dropped is gone at once, although it answers nothing")
    func drop() async throws {
        let identity = try identity(authority)
        let slow = SlowClient(policy: .disconnect, limit: 64 << 10)
        try await InstanceFixture.with(
            .memory,
            change: {
                $0.identity = identity
                $0.manager.policies.slowClient = slow
            },
            { fixture in
                let fleet = fleet(fixture, trust: .pem(authority.certificate))
                try await fleet.connectAll(
                    [
                        FleetClient(index: 0, instance: 0, connectAt: .zero),
                        FleetClient(index: 1, instance: 0, connectAt: .zero, readRate: 1),
                    ], startingAt: .now())
                try await fleet.awaitConnected(deadline: .now() + .seconds(20))
                try await fixture.awaitClients(2)
                let text = #"{"text":"\#(String(repeating: "x", count: 16_000))"}"#
                try await eventually("the slow client's eviction", within: 60) {
                    await fixture.broadcast([text])
                    return fixture.instances[0].manager.counters.evicted == 1
                }
                try await eventually("its socket's end") {
                    try await fixture.instances[0].manager.openSockets() == 1
                }
                _ = try await fleet.finish()
            })
    }

    @Test("A certificate that cannot be used keeps the instance from starting")
    func unusable() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = LiveInstance.Configuration(manager: .init())
        configuration.identity = TLSIdentity(certificate: "x", privateKey: "y")
        let error = await #expect(throws: InstanceError.self) {
            _ = try await LiveInstance.start(configuration, on: group)
        }
        #expect(error?.code == .certificateUnusable)
        try await group.shutdownGracefully()
    }
}
