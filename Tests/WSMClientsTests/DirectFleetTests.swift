import NIOCore
import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMRecord

/// An instance of a test: it keeps who is there, and sends and closes as it is told.
///
/// Confined to its event loop.
private final class TestHost: DirectPort {
    var receiver: (any DirectReceiver)?
    var open: [ClientID: Int32] = [:]
    var refuses = false
    private var next: UInt64 = 0

    init(_ receiver: any DirectReceiver) { self.receiver = receiver }

    func open(_ member: Int32) -> ClientID? {
        guard !refuses else { return nil }
        next += 1
        open[ClientID(next)] = member
        return ClientID(next)
    }

    func close(_ client: ClientID) { open[client] = nil }
    func detach() { receiver = nil }

    func send(_ text: String) {
        let members = open.sorted { $0.key < $1.key }.map(\.value)
        Array(text.utf8).withUnsafeBytes { bytes in
            members.withUnsafeBufferPointer { receiver?.received(bytes, by: $0) }
        }
    }

    func end(code: UInt16?) {
        let members = open.sorted { $0.key < $1.key }.map(\.value)
        open = [:]
        for member in members { receiver?.ended(member, code: code) }
    }
}

/// The hosts of a fleet, reached on their event loop.
private final class TestHosts: Sendable {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let ports: NIOLoopBoundBox<[TestHost]>

    init() { ports = .makeEmptyBox(valueType: TestHost.self, loop) }

    func host() -> DirectFleet<TestSink>.Host {
        DirectFleet<TestSink>.Host(loop: loop) { [ports] receiver in
            let host = TestHost(receiver)
            ports.value.append(host)
            return host
        }
    }

    func on<Result: Sendable>(
        _ instance: Int, _ body: @escaping @Sendable (TestHost) -> Result
    ) async throws -> Result {
        try await loop.submit { [ports] in body(ports.value[instance]) }.get()
    }
}

extension NIOLoopBoundBox {
    fileprivate static func makeEmptyBox<Element>(
        valueType: Element.Type, _ loop: any EventLoop
    ) -> NIOLoopBoundBox<[Element]> where Value == [Element] {
        .makeBoxSendingValue([], eventLoop: loop)
    }
}

@Suite("A fleet without sockets", .timeLimit(.minutes(1)))
struct DirectFleetTests {
    private func make(
        instances: Int = 1, reconnect: BackoffPolicy? = nil
    ) -> (DirectFleet<TestSink>, SinkLog, TestHosts) {
        let hosts = TestHosts()
        let log = SinkLog()
        let fleet = DirectFleet(
            hosts: (0..<instances).map { _ in hosts.host() }, options: FleetOptions(reconnect: reconnect, seed: 7)
        ) { _ in TestSink(log) }
        return (fleet, log, hosts)
    }

    @Test("Each client gets each message of its own instance, once and in order, however many they are")
    func delivery() async throws {
        let (fleet, log, hosts) = make(instances: 2)
        // More than the clock's stride, and not a multiple of it.
        try await fleet.connectAll(plan(301, instances: 2), startingAt: .now())
        try await fleet.awaitConnected(deadline: soon())
        #expect(fleet.connectedCount == 301)
        for text in ["a", "b"] { try await hosts.on(0) { $0.send(text) } }
        try await hosts.on(1) { $0.send("c") }
        for client: UInt32 in 0..<301 {
            #expect(log.messages(of: client) == (client.isMultiple(of: 2) ? ["a", "b"] : ["c"]))
        }
        #expect(await fleet.statistics().messages == 2 * 151 + 150)
        let ending = await fleet.endSessions(deadline: soon())
        #expect(ending.abandoned == 0)
        #expect(log.ends == Array(repeating: .runEnded, count: 301))
        #expect(try await hosts.on(0) { $0.open.isEmpty && $0.receiver == nil })
        #expect(try await fleet.finish().count == 1)
    }

    @Test("A churn ends the session and begins another at once; one without a session is skipped")
    func churn() async throws {
        let (fleet, log, hosts) = make()
        try await fleet.connectAll(plan(3), startingAt: .now())
        try await fleet.awaitConnected(deadline: soon())
        try fleet.churn([FleetChurn(client: 1, at: .now())])
        try await eventually("the churn") { await fleet.statistics().churned == 1 }
        #expect(log.ends == [.churned])
        #expect(log.opened == 4 && fleet.connectedCount == 3)
        try await hosts.on(0) { $0.send("x") }
        #expect((0..<3).allSatisfy { log.messages(of: $0) == ["x"] })
        try await hosts.on(0) { $0.end(code: nil) }
        try fleet.churn([FleetChurn(client: 2, at: .now())])
        try await eventually("the skipped churn") { await fleet.statistics().churnsSkipped == 1 }
        #expect(throws: FleetError.self) { try fleet.churn([FleetChurn(client: 9, at: .now())]) }
        _ = try await fleet.finish()
    }

    @Test("Closed and dropped clients come back, and one that is refused tries again")
    func reconnect() async throws {
        let backoff = BackoffPolicy(initial: .milliseconds(1), max: .milliseconds(5))
        let (fleet, log, hosts) = make(reconnect: backoff)
        try await fleet.connectAll(plan(2), startingAt: .now())
        try await fleet.awaitConnected(deadline: soon())
        try await hosts.on(0) { $0.end(code: 1012) }
        try await eventually("both back") { log.opened == 4 && fleet.connectedCount == 2 }
        try await hosts.on(0) {
            $0.refuses = true
            $0.end(code: nil)
        }
        try await eventually("refused attempts") { log.failed >= 4 }
        try await hosts.on(0) { $0.refuses = false }
        try await eventually("both back again") { fleet.connectedCount == 2 }
        let statistics = await fleet.statistics()
        #expect(statistics.closedByServer == 2 && statistics.dropped == 2)
        #expect(statistics.reconnects >= 6)
        #expect(statistics.failures["the instance has stopped"] == log.failed)
        #expect(log.ends == [.closedByServer(code: 1012), .closedByServer(code: 1012), .dropped, .dropped])
        _ = try await fleet.finish()
    }

    @Test("At the end clients wait for their instance to close, and none comes back")
    func closes() async throws {
        let (fleet, log, hosts) = make(reconnect: BackoffPolicy(initial: .milliseconds(1), max: .milliseconds(1)))
        let late = FleetClient(index: 9, instance: 0, connectAt: .seconds(3600))
        try await fleet.connectAll(plan(3) + [late], startingAt: .now())
        try await eventually("three sessions") { fleet.connectedCount == 3 }
        await fleet.awaitCloses()
        #expect(fleet.connectedCount == 3)
        try await hosts.on(0) { $0.end(code: 1001) }
        #expect(log.ends == Array(repeating: .closedByServer(code: 1001), count: 3))
        #expect(fleet.connectedCount == 0)
        _ = try await fleet.finish()
        #expect(log.opened == 3 && log.ends.count == 3)
    }

    @Test("Who never gets a session is reported; a plan that makes no sense is refused")
    func refused() async throws {
        let (fleet, _, hosts) = make()
        try await fleet.connectAll([], startingAt: .now())
        try await hosts.on(0) { $0.refuses = true }
        _ = try await fleet.finish()

        for bad in [
            [FleetClient(index: 0, instance: 1, connectAt: .zero)],
            [FleetClient(index: 0, instance: 0, connectAt: .zero, readRate: 5)],
            plan(1) + plan(1),
        ] {
            let (fleet, _, _) = make()
            await #expect(throws: FleetError.self) { try await fleet.connectAll(bad, startingAt: .now()) }
        }

        let (late, _, _) = make()
        try await late.connectAll(
            [FleetClient(index: 0, instance: 0, connectAt: .seconds(3600))], startingAt: .now())
        await #expect(throws: FleetError.self) { try await late.awaitConnected(deadline: .now()) }
        _ = try await late.finish()
    }
}
