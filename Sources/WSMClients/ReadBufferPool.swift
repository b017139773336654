import NIOCore

/// The large read buffer that all clients of a shard share, since only one of them is being read at a time.
///
/// A buffer a client would cost 10,000 idle clients 10,000 touched pages. Confined to the shard's event loop, on which
/// NIO calls the allocator and the handlers; `@unchecked Sendable` because NIO asks it of an allocator.
final class ReadBufferPool: @unchecked Sendable {
    static let capacity = 128 * 1024
    private var spare: ByteBuffer?

    /// The shared buffer, empty, or a new one while somebody holds it.
    func take(allocator: ByteBufferAllocator) -> ByteBuffer {
        guard var buffer = spare else { return allocator.buffer(capacity: ReadBufferPool.capacity) }
        spare = nil
        // Here and not when it is given back: then NIO's read loop still refers to it, and clearing it would allocate.
        buffer.clear()
        return buffer
    }

    /// Gives back a buffer whose bytes have been handled; others than the large ones are let go.
    func give(back buffer: consuming ByteBuffer) {
        if spare == nil, buffer.storageCapacity >= ReadBufferPool.capacity { spare = buffer }
    }
}

/// Gives the shared buffer back where TLS stands between it and the session: the encrypted bytes have been used up when the
/// next handler returns.
final class SharedBufferReturn: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let pool: ReadBufferPool

    init(pool: ReadBufferPool) {
        self.pool = pool
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(data)
        pool.give(back: unwrapInboundIn(data))
    }
}

/// Lets a channel read into the shard's shared buffer.
///
/// NIO's pool keeps the first buffer of a channel for as long as the channel lives, and no other if the allocator names no
/// size, says that the next buffer may be larger, and the channel reads once a wake-up (`NIOPooledRecvBufferAllocator`).
/// So the first one, into which the handshake's answer is read, is small.
struct SharedBufferAllocator: RecvByteBufferAllocator {
    private static let handshakeCapacity = 256
    private let pool: ReadBufferPool
    private var isFirst: Bool

    init(pool: ReadBufferPool, isFirst: Bool) {
        self.pool = pool
        self.isFirst = isFirst
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        isFirst
            ? allocator.buffer(capacity: SharedBufferAllocator.handshakeCapacity) : pool.take(allocator: allocator)
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        isFirst = false
        return true
    }
}
