import NIOCore
import WSMCore
import WSMRecord

/// A client's socket from the connection to the handshake's end, and then what came of it.
///
/// Confined to the shard's loop.
final class ConnectAttempt<Sink: DeliverySink & SendableMetatype>: SocketOwner {
    private let shard: FleetShard<Sink>
    private let connection: UInt32
    private var handshake: OpeningHandshake
    /// Set right after the attempt was made, before anything is told; the circle ends with the handshake or the socket.
    var socket: ClientSocket?

    init(shard: FleetShard<Sink>, connection: UInt32, handshake: OpeningHandshake) {
        self.shard = shard
        self.connection = connection
        self.handshake = handshake
    }

    func socketOpened() { socket?.write(handshake.request) }

    func socketRead(_ bytes: UnsafeRawBufferPointer, at: MonotonicInstant) {
        guard let socket else { return }
        switch handshake.take(bytes) {
        case .unfinished: break
        case .refused(let reason): fail(reason)
        case .accepted(let used):
            socket.owner = shard.handshakeSucceeded(connection, socket)
            let frames = UnsafeRawBufferPointer(rebasing: bytes[used...])
            // The owner may have closed it already, and then reads nothing.
            if !frames.isEmpty, !socket.isClosed { socket.owner?.socketRead(frames, at: .now()) }
        }
    }

    func socketClosed(_ error: (any Error)?) {
        // The first word about an attempt counts: this one changes nothing when it has failed already.
        shard.attemptFailed(connection, error.map(ConnectFailure.reason) ?? ConnectFailure.closedInHandshake)
    }

    private func fail(_ reason: String) {
        shard.attemptFailed(connection, reason)
        socket?.close()
    }
}
