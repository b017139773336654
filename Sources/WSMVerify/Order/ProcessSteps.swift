/// The last updates of each process in a channel's order, in bounded room.
///
/// A table addressed by the process's number, 16 entries at first; it doubles when two processes meet in one entry, up to
/// ``limit``. There the later process takes the entry, since processes are numbered in the order of their starting; an
/// update of one that was displaced so is unchecked.
struct ProcessSteps: Sendable {
    /// The most processes that are remembered at once: 768 KiB an order.
    static let limit = 1 << 16

    private struct Entry: Sendable {
        var process = UInt32.max
        /// Where its last update stands in the order.
        var last: UInt32 = 0
        /// Its highest step.
        var step: UInt16 = 0
    }

    private var entries: ContiguousArray<Entry> = []

    enum Finding: Equatable {
        /// `previous` is where the process's update before this one stands.
        case inOrder(previous: Int?)
        /// A later step stands before it.
        case violated(previous: Int)
        case unchecked
    }

    /// Notes the update at `index` of the order; several messages may carry the same step.
    mutating func append(process: UInt32, step: UInt16, index: Int) -> Finding {
        if entries.isEmpty { entries = ContiguousArray(repeating: Entry(), count: 16) }
        while true {
            let slot = Int(process) & (entries.count &- 1)
            let known = entries[slot]
            if known.process == process {
                entries[slot].last = UInt32(truncatingIfNeeded: index)
                if step < known.step { return .violated(previous: Int(known.last)) }
                entries[slot].step = step
                return .inOrder(previous: Int(known.last))
            }
            if known.process != UInt32.max, entries.count < ProcessSteps.limit {
                grow()
                continue
            }
            guard known.process == UInt32.max || process > known.process else { return .unchecked }
            entries[slot] = Entry(process: process, last: UInt32(truncatingIfNeeded: index), step: step)
            return .inOrder(previous: nil)
        }
    }

    private mutating func grow() {
        let old = entries
        entries = ContiguousArray(repeating: Entry(), count: old.count * 2)
        // Two that shared no entry before share none in a table twice as large.
        for entry in old where entry.process != UInt32.max {
            entries[Int(entry.process) & (entries.count - 1)] = entry
        }
    }
}
