import WSMCore
import WSMRecord

/// How a server is to refuse a client: what it says, and what it closes with.
package struct ExpectedRefusal: Sendable, Hashable {
    /// What is wrong with the client, by which refusals are counted: few and fixed.
    package var kind: String
    package var closeCode: UInt16
    /// The `status_code` of the error that comes before the close; `nil`: none.
    package var status: Int?

    package init(kind: String, closeCode: UInt16, status: Int? = nil) {
        self.kind = kind
        self.closeCode = closeCode
        self.status = status
    }
}

/// What became of clients that were to be refused, and of those that were not.
package struct RefusalCounts: Sendable, Hashable, Codable {
    /// Refused as expected, by kind.
    package var asExpected: [String: Int] = [:]
    /// Closed otherwise than expected, by kind.
    package var otherwise: [String: Int] = [:]
    /// Let in although they were to be refused, by kind.
    package var admitted: [String: Int] = [:]
    /// Sessions of clients with valid credentials that were closed for a policy (1008).
    package var validRefused = 0

    package init() {}

    package mutating func add(_ other: RefusalCounts) {
        asExpected.merge(other.asExpected, uniquingKeysWith: +)
        otherwise.merge(other.otherwise, uniquingKeysWith: +)
        admitted.merge(other.admitted, uniquingKeysWith: +)
        validRefused += other.validRefused
    }
}

/// A client that is to be refused, from the handshake's end on: hears the error, then the close, and nothing else.
///
/// Confined to the shard's loop.
final class RefusedSession<Sink: DeliverySink & SendableMetatype>: SocketOwner {
    private let shard: FleetShard<Sink>
    private let connection: UInt32
    private let expected: ExpectedRefusal
    private let socket: ClientSocket
    private var walker = FrameWalker()
    private var status: Int?
    private var isDone = false

    init(shard: FleetShard<Sink>, connection: UInt32, expected: ExpectedRefusal, socket: ClientSocket) {
        self.shard = shard
        self.connection = connection
        self.expected = expected
        self.socket = socket
    }

    func socketRead(_ bytes: UnsafeRawBufferPointer, at: MonotonicInstant) {
        walker.walk(bytes) { handle($0) }
    }

    func socketClosed(_ error: (any Error)?) {
        guard !isDone else { return }
        isDone = true
        shard.attemptFailed(connection, ConnectFailure.closedInHandshake)
    }

    private func handle(_ event: FrameWalker.Event) {
        guard !isDone else { return }
        switch event {
        case .text(let message):
            if status == nil, let code = RefusalText.status(of: message) {
                status = code
            } else {
                // Whatever else is sent to it is meant for a client.
                end(.admitted, code: 1000)
            }
        case .close(let code):
            let isAsExpected = code == expected.closeCode && status == expected.status
            end(isAsExpected ? .asExpected : .otherwise, code: code)
        case .binary: end(.admitted, code: 1000)
        case .ping, .pong: break
        case .violation(let violation): end(.otherwise, code: violation.closeCode)
        }
    }

    private func end(_ outcome: FleetShard<Sink>.RefusalOutcome, code: UInt16) {
        isDone = true
        shard.refusalEnded(connection, outcome)
        socket.write(ClientFrame.close(code: code, mask: shard.random.mask()))
        socket.close()
    }
}

/// The error that a refused client is told: `{"error":{"detail":…,"headers":…,"status_code":401}}`.
enum RefusalText {
    private static let head = Array(#"{"error":{"#.utf8)
    private static let mark = Array(#""status_code":"#.utf8)

    /// Its status; `nil` for any other text.
    static func status(of message: UnsafeRawBufferPointer) -> Int? {
        guard message.starts(with: head) else { return nil }
        var rest = message[...]
        var found: Int?
        while let next = rest.firstIndex(of: mark[0]) {
            rest = rest[next...]
            if rest.starts(with: mark) {
                let digits = rest.dropFirst(mark.count).prefix { (0x30...0x39).contains($0) }.prefix(4)
                found = Int(String(decoding: digits, as: UTF8.self))
            }
            rest = rest.dropFirst()
        }
        return found
    }
}

extension FleetShard {
    enum RefusalOutcome {
        case asExpected
        case otherwise
        case admitted
    }

    /// How the client of an attempt is to be refused; `nil` for one that is to be let in, and for one that came too late.
    func expectedRefusal(_ connection: UInt32) -> ExpectedRefusal? {
        attempts[connection].flatMap { clients[$0.slot].plan.refusal }
    }

    /// It is known what became of a client that was to be refused; it does not try again.
    func refusalEnded(_ connection: UInt32, _ outcome: RefusalOutcome) {
        guard let attempt = attempts.removeValue(forKey: connection),
            let kind = clients[attempt.slot].plan.refusal?.kind
        else { return }
        switch outcome {
        case .asExpected: statistics.refusals.asExpected[kind, default: 0] += 1
        case .otherwise: statistics.refusals.otherwise[kind, default: 0] += 1
        case .admitted: statistics.refusals.admitted[kind, default: 0] += 1
        }
        clients[attempt.slot].life.stop()
        progress.clientRefused()
    }
}
