/// Bytes on their way through a disturbed link: real ones, or what stands for so many in a simulation.
package protocol LinkBytes {
    var byteCount: Int { get }
    /// Takes the first `count` of them off, 1 to ``byteCount``.
    mutating func takeFirst(_ count: Int) -> Self
}

/// One direction of a connection through a disturbed link: what has come in, and when it may go out.
///
/// Sans-IO; the live relay and the simulated one perform it. It keeps the order, and an end of the stream is an item like
/// the bytes before it. A relay that heeds ``takesMore`` holds at most ``LinkConditions/flowLimit`` bytes and one read more,
/// and what a peer's kernel still held when the peer closed.
package struct LinkFlow<Bytes: LinkBytes> {
    package enum Item {
        case bytes(Bytes)
        /// The sender's FIN.
        case end
        /// The sender is gone without one.
        case reset
    }

    /// What is to be done next.
    package enum Next {
        case write(Bytes)
        case end
        case reset
        case wait(until: MonotonicInstant)
        case nothing
    }

    /// Whether nothing goes in or out.
    package var isHeld = false
    /// What slows it down; a change takes effect with the next piece.
    package var bucket: LinkBucket? {
        didSet { if bucket !== oldValue { reserved = nil } }
    }

    private struct Entry {
        var item: Item
        var due: MonotonicInstant
    }

    /// In order from `head` on; what is before has left.
    private var queue: ContiguousArray<Entry?> = []
    private var head = 0
    private var lastDue = MonotonicInstant(nanoseconds: 0)
    private var reserved: (start: MonotonicInstant, count: Int)?
    package private(set) var waitingBytes = 0

    package init() {}

    /// Whether nothing is on its way.
    package var isEmpty: Bool { head == queue.count }

    /// Whether it wants to be given more bytes.
    package var takesMore: Bool { !isHeld && waitingBytes < LinkConditions.flowLimit }

    /// Takes what came in at `now` and must wait for `delay`.
    package mutating func take(_ item: Item, at now: MonotonicInstant, delay: TimeSpan = .zero) {
        lastDue = max(lastDue, now + delay)
        if case .bytes(let bytes) = item { waitingBytes += bytes.byteCount }
        queue.append(Entry(item: item, due: lastDue))
    }

    /// What may go out at `now`; the caller does it, and asks again.
    package mutating func next(at now: MonotonicInstant) -> Next {
        guard !isHeld, head < queue.count, let first = queue[head] else { return .nothing }
        guard first.due <= now else { return .wait(until: first.due) }
        switch first.item {
        case .bytes(let bytes): return nextBytes(of: bytes, due: first.due, at: now)
        case .end:
            removeFirst()
            return .end
        case .reset:
            removeFirst()
            return .reset
        }
    }

    private mutating func nextBytes(of bytes: Bytes, due: MonotonicInstant, at now: MonotonicInstant) -> Next {
        guard let bucket else {
            removeFirst()
            waitingBytes -= bytes.byteCount
            return .write(bytes)
        }
        let count = reserved?.count ?? min(bytes.byteCount, bucket.piece)
        let start = reserved?.start ?? bucket.reserve(count, at: now)
        guard start <= now else {
            reserved = (start, count)
            return .wait(until: start)
        }
        reserved = nil
        waitingBytes -= count
        // The entry lets go of its bytes before they are divided, so that they are not copied.
        queue[head] = nil
        var rest = bytes
        let piece = rest.takeFirst(count)
        if rest.byteCount > 0 {
            queue[head] = Entry(item: .bytes(rest), due: due)
        } else {
            removeFirst()
        }
        return .write(piece)
    }

    private mutating func removeFirst() {
        queue[head] = nil
        head += 1
        // What has left is dropped in large portions, so that each removal costs the same.
        if head == queue.count || head > 1024 {
            queue.removeFirst(head)
            head = 0
        }
    }

    /// Throws away what waits; returns how many bytes that was.
    @discardableResult
    package mutating func discard() -> Int {
        defer {
            queue = []
            head = 0
            waitingBytes = 0
            reserved = nil
        }
        return waitingBytes
    }

    /// Throws away what came last, until at most `limit` bytes wait: what a socket had not taken when its owner closed it.
    package mutating func discardNewest(beyond limit: Int) {
        while waitingBytes > limit, head < queue.count, case .bytes(let bytes)? = queue[queue.count - 1]?.item {
            queue.removeLast()
            waitingBytes -= bytes.byteCount
        }
    }
}
