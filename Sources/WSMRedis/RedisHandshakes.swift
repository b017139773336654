import NIOCore
import WSMCore
import WSMTLS

/// The TLS handshakes of one attempt to connect, which may open several channels and keep the first that stands.
///
/// The pipeline of a channel that was refused is empty by the time that somebody asks why; the waiters here still know.
/// They belong to the event loop.
struct RedisHandshakes: Sendable {
    private typealias Handshake = (channel: any Channel, waiter: TLSHandshakeWaiter)

    private let begun: NIOLoopBoundBox<[Handshake]>

    init(on eventLoop: any EventLoop) {
        begun = .makeBoxSendingValue([], eventLoop: eventLoop)
    }

    /// Adds the waiter for a channel's handshake, right after its TLS handler; it waits for so long.
    func begin(on channel: any Channel, deadline: TimeSpan) throws {
        let waiter = TLSHandshakeWaiter(on: channel.eventLoop, deadline: deadline.timeAmount)
        do {
            try channel.pipeline.syncOperations.addHandler(waiter)
        } catch {
            waiter.abandon()
            throw error
        }
        begun.value.append((channel, waiter))
    }

    /// Waits until the handshake of a channel has ended well; one that did not is closed, and fails with a `TLSError`.
    ///
    /// On the event loop, and once: the other channels are forgotten.
    func secured(_ channel: any Channel) -> EventLoopFuture<any Channel> {
        let waiter = begun.value.first { $0.channel === channel }?.waiter
        begun.value = []
        guard let waiter else {
            return channel.eventLoop.makeFailedFuture(TLSError(.handshakeFailed, "no handshake was begun"))
        }
        let bound = NIOLoopBound(waiter, eventLoop: channel.eventLoop)
        return waiter.finished.map {
            channel.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
            return channel
        }.flatMapErrorThrowing { error in
            channel.close(promise: nil)
            throw error
        }
    }
}
