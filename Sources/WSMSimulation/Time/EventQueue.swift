/// The agenda of a simulation: what is due first comes out first, ordered by (time, priority, sequence).
///
/// A binary heap of plain entries; the sequence number makes the order total, so that it is the same on every machine. The
/// element should be a small plain value, since entries move within the heap.
struct EventQueue<Element> {
    struct Entry {
        /// Nanoseconds on the simulation's clock.
        let time: Int64
        /// The priority in the highest byte, then the sequence number.
        let order: UInt64
        let element: Element

        func isBefore(_ other: Entry) -> Bool {
            time == other.time ? order < other.order : time < other.time
        }
    }

    private var heap: ContiguousArray<Entry> = []
    private var nextSequence: UInt64 = 0

    var count: Int { heap.count }
    /// When the first element is due; `nil` when nothing is.
    var nextTime: Int64? { heap.first?.time }
    /// What comes out next.
    var first: Entry? { heap.first }

    /// Adds an element; of two at the same time the lower priority number comes first, and else the one added first.
    mutating func push(_ element: Element, at time: Int64, priority: UInt8 = 0) {
        let order = UInt64(priority) << 56 | nextSequence
        nextSequence += 1
        heap.append(Entry(time: time, order: order, element: element))
        siftUp(heap.count - 1)
    }

    /// Takes the first entry out.
    mutating func pop() -> Entry? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return first
    }

    private mutating func siftUp(_ start: Int) {
        var place = start
        let entry = heap[place]
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = entry
    }

    private mutating func siftDown() {
        let entry = heap[0]
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = entry
    }
}
