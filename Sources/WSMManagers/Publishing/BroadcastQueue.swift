internal import DequeModule

/// The queue between worker threads and the `ProcessDataBroadcastThread`: first in, first out, with a bound.
///
/// Reference: `queue.Queue` in `services/process_broadcast_thread.py`, which has no bound. It is a plain value; whoever
/// shares it between threads guards it.
public struct BroadcastQueue<Element> {
    private var waiting: Deque<Element> = []
    private let limit: Int
    /// Elements refused because the queue was full.
    public private(set) var refused = 0

    public init(limit: Int) {
        precondition(limit > 0, "a queue holds at least one element")
        self.limit = limit
    }

    public var count: Int { waiting.count }
    public var isEmpty: Bool { waiting.isEmpty }

    /// Adds an element; false when the queue is full and the element was refused.
    public mutating func put(_ element: Element) -> Bool {
        guard waiting.count < limit else {
            refused += 1
            return false
        }
        waiting.append(element)
        return true
    }

    /// Takes up to `count` elements, the oldest first, and appends them to `batch`.
    public mutating func take(upTo count: Int, into batch: inout [Element]) {
        let taken = min(count, waiting.count)
        guard taken > 0 else { return }
        batch.append(contentsOf: waiting.prefix(taken))
        waiting.removeFirst(taken)
    }
}
