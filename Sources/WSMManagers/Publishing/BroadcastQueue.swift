public import DequeModule

/// The queue between worker threads and the `ProcessDataBroadcastThread`: first in, first out, with a bound.
///
/// Reference: `queue.Queue` in `services/process_broadcast_thread.py`, which has no bound. It is a plain value; whoever
/// shares it between threads guards it.
public struct BroadcastQueue<Element> {
    // Inlinable, since the cost of an unspecialised generic would be many times that of the work.
    @usableFromInline var waiting: Deque<Element> = []
    @usableFromInline let limit: Int

    @inlinable
    public init(limit: Int) {
        precondition(limit > 0, "a queue holds at least one element")
        self.limit = limit
    }

    @inlinable
    public var count: Int { waiting.count }
    @inlinable
    public var isEmpty: Bool { waiting.isEmpty }

    /// Adds an element; false when the queue is full and the element was refused.
    @inlinable
    public mutating func put(_ element: Element) -> Bool {
        guard waiting.count < limit else { return false }
        waiting.append(element)
        return true
    }

    /// Takes up to `count` elements, the oldest first, and appends them to `batch`.
    @inlinable
    public mutating func take(upTo count: Int, into batch: inout [Element]) {
        let taken = min(count, waiting.count)
        guard taken > 0 else { return }
        batch.append(contentsOf: waiting.prefix(taken))
        waiting.removeFirst(taken)
    }
}
