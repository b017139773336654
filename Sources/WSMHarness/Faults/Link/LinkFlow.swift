import NIOCore
import WSMCore

/// One direction of a relayed connection: what has come in, and when it may go out.
///
/// Sans-IO. It keeps the order, and an end of the stream is an item like the bytes before it. It holds at most ``limit``
/// bytes and one read more, and what a peer's kernel still held when the peer closed.
struct LinkFlow {
    enum Item {
        case bytes(ByteBuffer)
        /// The sender's FIN.
        case end
        /// The sender is gone without one.
        case reset
    }

    /// What is to be done next.
    enum Next {
        case write(ByteBuffer)
        case end
        case reset
        case wait(until: MonotonicInstant)
        case nothing
    }

    /// Bytes that may wait before no more are read.
    static let limit = 256 << 10

    /// Whether nothing goes in or out.
    var isHeld = false
    /// What slows it down; a change takes effect with the next piece.
    var bucket: LinkBucket? {
        didSet { if bucket !== oldValue { reserved = nil } }
    }

    private struct Entry {
        var item: Item
        var due: MonotonicInstant
    }

    private var queue = CircularBuffer<Entry>()
    private var lastDue = MonotonicInstant(nanoseconds: 0)
    private var reserved: (start: MonotonicInstant, count: Int)?
    private(set) var waitingBytes = 0

    /// Whether it wants to be given more bytes.
    var takesMore: Bool { !isHeld && waitingBytes < Self.limit }

    /// Takes what came in at `now` and must wait for `delay`.
    mutating func take(_ item: Item, at now: MonotonicInstant, delay: TimeSpan = .zero) {
        lastDue = max(lastDue, now + delay)
        if case .bytes(let buffer) = item { waitingBytes += buffer.readableBytes }
        queue.append(Entry(item: item, due: lastDue))
    }

    /// What may go out at `now`; the caller does it, and asks again.
    mutating func next(at now: MonotonicInstant) -> Next {
        guard !isHeld, let first = queue.first else { return .nothing }
        guard first.due <= now else { return .wait(until: first.due) }
        switch first.item {
        case .bytes(let buffer): return nextBytes(of: buffer, at: now)
        case .end:
            queue.removeFirst()
            return .end
        case .reset:
            queue.removeFirst()
            return .reset
        }
    }

    private mutating func nextBytes(of buffer: ByteBuffer, at now: MonotonicInstant) -> Next {
        guard let bucket else {
            queue.removeFirst()
            waitingBytes -= buffer.readableBytes
            return .write(buffer)
        }
        let count = reserved?.count ?? min(buffer.readableBytes, bucket.piece)
        let start = reserved?.start ?? bucket.reserve(count, at: now)
        guard start <= now else {
            reserved = (start, count)
            return .wait(until: start)
        }
        reserved = nil
        waitingBytes -= count
        var rest = buffer
        guard let piece = rest.readSlice(length: count) else { return .nothing }
        if rest.readableBytes > 0 {
            queue[queue.startIndex].item = .bytes(rest)
        } else {
            queue.removeFirst()
        }
        return .write(piece)
    }

    /// Throws away what waits; returns how many bytes that was.
    mutating func discard() -> Int {
        defer {
            queue.removeAll()
            waitingBytes = 0
            reserved = nil
        }
        return waitingBytes
    }
}
