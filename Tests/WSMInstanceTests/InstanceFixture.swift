import NIOCore
import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord
import WSMRedis

/// What clients of a test received and how their sessions ended.
///
/// Confined to one event loop, read at the end.
final class Receipts: DeliverySink {
    private(set) var openedClients: [UInt32] = []
    private(set) var messages: [Int: [String]] = [:]
    private(set) var ends: [Int: SessionEnd] = [:]
    private(set) var failures = 0

    func sessionOpened(
        client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant, openedAt: MonotonicInstant
    ) -> Int {
        openedClients.append(client)
        return openedClients.count - 1
    }

    func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        messages[session, default: []].append(String(decoding: message, as: UTF8.self))
    }

    func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant) { ends[session] = end }

    func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) { failures += 1 }

    /// How the client's only session ended.
    func end(of client: UInt32) -> SessionEnd? { openedClients.firstIndex(of: client).flatMap { ends[$0] } }

    /// What each client of the plan received, over all its sessions.
    var byClient: [UInt32: [String]] {
        var received: [UInt32: [String]] = [:]
        for (session, client) in openedClients.enumerated() { received[client, default: []] += messages[session] ?? [] }
        return received
    }
}

/// Instances on a Redis of their own (or in memory) with clients on real sockets, and everything put away at the end.
struct InstanceFixture {
    let group: MultiThreadedEventLoopGroup
    let instances: [LiveInstance]
    let redis: EmbeddedRedis?

    /// Runs `body` with instances of this kind, then stops them.
    static func with(
        _ kind: ManagerKind, profile: Profile = .hardened, instances count: Int = 1,
        change: (inout LiveInstance.Configuration) -> Void = { _ in },
        _ body: (InstanceFixture) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let redis = kind == .broadcast ? try await EmbeddedRedis.start() : nil
        var instances: [LiveInstance] = []
        do {
            for number in 0..<count {
                var configuration = LiveInstance.Configuration(
                    manager: .init(policies: .of(profile), redis: redis?.url))
                configuration.name = "t\(number)"
                change(&configuration)
                instances.append(try await LiveInstance.start(configuration, on: group))
            }
            try await body(InstanceFixture(group: group, instances: instances, redis: redis))
        } catch {
            Issue.record(error)
        }
        for instance in instances { _ = try await instance.stop() }
        await redis?.stop()
        try await group.shutdownGracefully()
    }

    /// A fleet with `count` clients, spread over the instances in turn, all connected.
    func connect(
        _ count: Int, direct: Bool, subprotocols: [String] = [], reconnects: Bool = false
    ) async throws -> any Fleet<Receipts> {
        let endpoints = instances.map {
            ClientEndpoint(host: "127.0.0.1", port: $0.port, path: "/api/ws/events", subprotocols: subprotocols)
        }
        let backoff = reconnects ? BackoffPolicy(initial: .milliseconds(10), max: .milliseconds(100)) : nil
        let options = FleetOptions(reconnect: backoff, seed: 1)
        let loop = group.next()
        let fleet: any Fleet<Receipts>
        if direct {
            let hosts = instances.map { instance in
                DirectFleet<Receipts>.Host(loop: loop) { try instance.manager.attachDirectClients($0, on: loop) }
            }
            fleet = DirectFleet<Receipts>(hosts: hosts, options: options) { _ in Receipts() }
        } else {
            fleet = ClientFleet<Receipts>(loops: testLoops.all, endpoints: endpoints, options: options) { _ in
                Receipts()
            }
        }
        let plan = (0..<count).map {
            FleetClient(index: UInt32($0), instance: UInt16($0 % instances.count), connectAt: .zero)
        }
        try await fleet.connectAll(plan, startingAt: .now())
        try await fleet.awaitConnected(deadline: .now() + .seconds(20))
        return fleet
    }

    /// Waits until the instances count this many clients as subscribed, all together.
    func awaitClients(_ count: Int) async throws {
        try await eventually("\(count) clients at the managers") {
            var subscribed = 0
            for instance in instances {
                let subscriptions = try await instance.manager.subscriptionCount()
                let perClient = instance.manager.configuration.policies.subscription == .perClient
                let isBroadcast = instance.manager.configuration.kind == .broadcast
                let clients = instance.manager.counters.clients
                subscribed += isBroadcast && perClient ? min(subscriptions, clients) : clients
            }
            return subscribed == count
        }
    }

    /// Broadcasts a text on a thread that may block; returns whether it was published.
    @discardableResult
    func broadcast(_ texts: [String], from instance: Int = 0) async -> Bool {
        let manager = instances[instance].manager
        return await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "test-publish") {
                let publisher = manager.makePublisher(entity: 99)
                let broadcasts = texts.map { Broadcast(channels: [.events], json: Array($0.utf8)) }
                continuation.resume(returning: publisher.broadcastData(broadcasts))
            }
        }
    }
}

/// What each client has received so far.
func received(_ fleet: any Fleet<Receipts>) async throws -> [UInt32: [String]] {
    try await fleet.withSinks(\.byClient).reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
}

/// Waits until the condition holds; a failure names what was awaited.
func eventually(
    _ what: String, within seconds: Int64 = 60, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = MonotonicInstant.now() + .seconds(seconds)
    while try await !condition() {
        guard MonotonicInstant.now() < deadline else {
            Issue.record("waited \(seconds) s in vain for: \(what)", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(nanoseconds: 2_000_000)
    }
}

/// The loop of all clients of these tests.
let testLoops = makeTestLoops()

private func makeTestLoops() -> SocketLoops {
    do {
        return try SocketLoops(count: 1)
    } catch {
        fatalError("the tests need a loop: \(error)")
    }
}
