import NIOCore
import NIOPosix
import Synchronization
import Testing
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord

/// A client's connection is reset, and a broadcast writes to it before the instance has noticed.
@Suite("A dead socket on a Memory instance", .timeLimit(.minutes(2)))
struct DeadSocketTests {
    /// Resets client `dead` of `count` while the instance stands still, with a broadcast waiting; returns what each of the
    /// clients got of that broadcast and of one after it.
    private func run(_ profile: Profile, clients count: Int, dead: UInt32) async throws -> [UInt32: [String]] {
        let home = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let fleetLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = LiveInstance.Configuration(manager: .init(policies: .of(profile), redis: nil))
        configuration.name = "dead"
        let instance = try await LiveInstance.start(configuration, on: home)
        let fixture = InstanceFixture(group: fleetLoop, instances: [instance], redis: nil)
        let endpoint = ClientEndpoint(host: "127.0.0.1", port: instance.port, path: "/api/ws/events")
        let sockets = ClientFleet<Receipts>(
            loops: testLoops.all, endpoints: [endpoint], options: FleetOptions(seed: 1)
        ) { _ in Receipts() }
        // One after the other, so that the manager's list is in the order of their numbers.
        let plan = (0..<count).map {
            FleetClient(index: UInt32($0), instance: 0, connectAt: .milliseconds(20 * Int64($0)))
        }
        try await sockets.connectAll(plan, startingAt: .now())
        try await sockets.awaitConnected(deadline: .now() + .seconds(20))
        try await fixture.awaitClients(count)
        let gate = Gate()
        let loop = home.next()
        loop.execute { gate.stand() }
        await gate.awaitStanding()
        try sockets.disturb(.init(.disconnect(.reset), of: [dead], at: .now()))
        try await eventually("the reset") { sockets.connectedCount == count - 1 }
        async let first = fixture.broadcast(["first"])
        // The broadcast has to wait at the manager before the instance goes on: on its loop it stands behind the gate.
        try await Task.sleep(for: .milliseconds(100))
        gate.open()
        _ = await first
        try await eventually("the instance to notice") { instance.manager.counters.clients == count - 1 }
        await fixture.broadcast(["second"])
        try await eventually("the second to arrive") {
            try await sockets.withSinks { sink in
                sink.byClient.filter { $0.key != dead && $0.value.contains("second") }.count
            }.reduce(0, +) == count - 1
        }
        let received = try await sockets.withSinks { $0.byClient }[0]
        _ = try await sockets.finish()
        _ = try await instance.stop()
        try await home.shutdownGracefully()
        try await fleetLoop.shutdownGracefully()
        return received
    }

    @Test("Serial (reference): it takes the message from every client behind it, and nothing from those before")
    func serial() async throws {
        let received = try await run(.reference, clients: 6, dead: 2)
        for client: UInt32 in [0, 1] { #expect(received[client] == ["first", "second"], "client \(client)") }
        for client: UInt32 in [3, 4, 5] { #expect(received[client] == ["second"], "client \(client)") }
    }

    @Test("Isolated (hardened): it takes nothing from anybody")
    func isolated() async throws {
        let received = try await run(.hardened, clients: 6, dead: 2)
        for client: UInt32 in [0, 1, 3, 4, 5] { #expect(received[client] == ["first", "second"], "client \(client)") }
    }
}

/// Holds an event loop's thread, which is nobody's but the test's, until it is opened.
private final class Gate: Sendable {
    private let isStanding = Atomic(false)
    private let state = Monitor(false)

    func stand() {
        isStanding.store(true, ordering: .sequentiallyConsistent)
        _ = state.wait(until: .now() + .seconds(20)) { $0 ? true : nil }
    }

    func open() { state.update { $0 = true } }

    func awaitStanding() async {
        while !isStanding.load(ordering: .sequentiallyConsistent) { await Task.yield() }
    }
}
