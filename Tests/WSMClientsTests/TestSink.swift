import NIOCore
import NIOPosix
import Synchronization
import Testing
import WSMClients
import WSMCore
import WSMRecord

/// What a sink was told.
enum SinkEvent: Hashable {
    case opened(client: UInt32, instance: UInt16, slow: Bool)
    case message(client: UInt32, String)
    case stalled(client: UInt32)
    case resumed(client: UInt32)
    case closed(client: UInt32, SessionEnd)
    case failed(client: UInt32)
}

/// The events of all sinks of one fleet, readable from any thread.
final class SinkLog: Sendable {
    private let log = Mutex<[SinkEvent]>([])
    func add(_ event: SinkEvent) { log.withLock { $0.append(event) } }
    var events: [SinkEvent] { log.withLock { $0 } }

    func messages(of client: UInt32) -> [String] {
        events.compactMap { if case .message(client, let text) = $0 { text } else { nil } }
    }
    var messageCount: Int { events.count { if case .message = $0 { true } else { false } } }
    var opened: Int { events.count { if case .opened = $0 { true } else { false } } }
    var failed: Int { events.count { if case .failed = $0 { true } else { false } } }
    var ends: [SessionEnd] { events.compactMap { if case .closed(_, let end) = $0 { end } else { nil } } }
}

/// How many sinks have been released.
final class ReleaseCount: Sendable {
    private let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
}

/// A sink that writes all down, and records an issue when a session is told of in the wrong order.
final class TestSink: DeliverySink {
    private let log: SinkLog
    private let released: ReleaseCount?
    private var sessions: [(client: UInt32, isOpen: Bool, openedAt: MonotonicInstant)] = []

    init(_ log: SinkLog, released: ReleaseCount? = nil) {
        self.log = log
        self.released = released
    }

    deinit { released?.add() }

    var sessionCount: Int { sessions.count }

    func sessionOpened(
        client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant, openedAt: MonotonicInstant
    ) -> Int {
        if attemptedAt > openedAt { Issue.record("a session opened before its attempt") }
        if sessions.contains(where: { $0.client == client && $0.isOpen }) {
            Issue.record("client \(client) opened twice")
        }
        sessions.append((client, true, openedAt))
        log.add(.opened(client: client, instance: instance, slow: slowReader))
        return sessions.count - 1
    }

    func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        if !sessions[session].isOpen { Issue.record("a message after the session's close") }
        if at < sessions[session].openedAt { Issue.record("a message before the session's opening") }
        log.add(.message(client: sessions[session].client, String(decoding: message, as: UTF8.self)))
    }

    func sessionStalled(session: Int, at: MonotonicInstant) {
        if !sessions[session].isOpen { Issue.record("a stall after the session's close") }
        log.add(.stalled(client: sessions[session].client))
    }

    func sessionResumed(session: Int, at: MonotonicInstant) {
        if !sessions[session].isOpen { Issue.record("a resumption after the session's close") }
        log.add(.resumed(client: sessions[session].client))
    }

    func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant) {
        if !sessions[session].isOpen { Issue.record("a session closed twice") }
        sessions[session].isOpen = false
        log.add(.closed(client: sessions[session].client, end))
    }

    func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) {
        log.add(.failed(client: client))
    }
}

typealias TestFleet = ClientFleet<TestSink>

/// The loops of all fleets of these tests.
let testLoops = makeTestLoops()

private func makeTestLoops() -> SocketLoops {
    do {
        return try SocketLoops(count: 2)
    } catch {
        fatalError("the tests need two loops: \(error)")
    }
}

/// A fleet on two event loops with its log.
func makeFleet(
    _ endpoints: [ClientEndpoint], ping: TimeSpan? = nil, pongTimeout: TimeSpan? = nil, reconnect: BackoffPolicy? = nil,
    connectDeadline: TimeSpan = .seconds(20), closeDeadline: TimeSpan = .seconds(20), released: ReleaseCount? = nil
) -> (TestFleet, SinkLog) {
    let log = SinkLog()
    let options = FleetOptions(
        pingInterval: ping, pongTimeout: pongTimeout, reconnect: reconnect, seed: 7, connectDeadline: connectDeadline,
        closeDeadline: closeDeadline)
    let fleet = ClientFleet(
        loops: testLoops.all, endpoints: endpoints, options: options,
        makeSink: { _ in TestSink(log, released: released) })
    return (fleet, log)
}

/// Clients 0..<count, all at once, on the endpoints in turn.
func plan(_ count: Int, instances: Int = 1, readRate: Int? = nil) -> [FleetClient] {
    (0..<count).map {
        FleetClient(index: UInt32($0), instance: UInt16($0 % instances), connectAt: .zero, readRate: readRate)
    }
}

/// A deadline far behind anything a test does in good order.
func soon() -> MonotonicInstant { .now() + .seconds(30) }

/// Waits until `condition` holds, and records what was waited for when it does not within half a minute.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = soon()
    while try await !condition() {
        guard .now() < deadline else {
            Issue.record("waited in vain for: \(what)", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Runs `body` with a fleet that has connected `clients`, and ends both in order.
func withConnectedFleet(
    _ behaviour: TestServer.Behaviour = TestServer.Behaviour(), clients: [FleetClient], ping: TimeSpan? = nil,
    pongTimeout: TimeSpan? = nil, reconnect: BackoffPolicy? = nil,
    _ body: (TestFleet, SinkLog, TestServer) async throws -> Void
) async throws {
    let server = try await TestServer.start(behaviour)
    let (fleet, log) = makeFleet(
        [server.endpoint()], ping: ping, pongTimeout: pongTimeout, reconnect: reconnect)
    try await fleet.connectAll(clients, startingAt: .now())
    try await fleet.awaitConnected(deadline: soon())
    try await eventually("the server to see all clients") { server.accepted >= clients.count }
    try await body(fleet, log, server)
    await fleet.endSessions(deadline: soon())
    _ = try await fleet.finish()
    try await server.stop()
}
