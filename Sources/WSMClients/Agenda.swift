import WSMCore

/// What a shard has to do later, earliest first: one timer of the event loop serves all its clients.
///
/// A binary heap; entries of the same instant come out in the order in which they went in. Nothing is taken out of the
/// middle: an entry that has become pointless is recognised by its `connection` when it is due.
struct Agenda {
    enum Task: UInt8 {
        /// The next client of the connect plan.
        case connect
        /// The next churn of the plan.
        case churn
        /// The client `slot` tries again.
        case reconnect
        /// The client `slot` sends its application ping.
        case ping
        /// The slow reader of `slot` may read again.
        case read
        /// What the disturbance of number `connection` does to the client `slot`.
        case disturb
        /// The stall of the session `connection` of `slot` is over.
        case resume
        /// The session `connection` of `slot` should have got its `__pong__` by now.
        case pongDeadline
        /// The attempt `connection` should have opened by now.
        case connectDeadline
        /// The session `connection` should have been closed by now.
        case closeDeadline
        /// All sessions should have ended by now.
        case endDeadline
    }

    struct Entry: Hashable {
        var due: MonotonicInstant
        var order: UInt64
        var task: Task
        var slot: Int32
        var connection: UInt32

        fileprivate func isBefore(_ other: Entry) -> Bool {
            due < other.due || (due == other.due && order < other.order)
        }
    }

    private var heap: [Entry] = []
    private var nextOrder: UInt64 = 0

    var count: Int { heap.count }
    /// When the first entry is due.
    var nextDue: MonotonicInstant? { heap.first?.due }

    mutating func add(_ task: Task, at due: MonotonicInstant, slot: Int = 0, connection: UInt32 = 0) {
        heap.append(
            Entry(due: due, order: nextOrder, task: task, slot: Int32(truncatingIfNeeded: slot), connection: connection)
        )
        nextOrder += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out the first entry if it is due at `now`.
    mutating func popDue(at now: MonotonicInstant) -> Entry? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return first
    }

    mutating func removeAll() {
        heap = []
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in (2 * parent + 1)..<(2 * parent + 3)
            where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
