/// The last step that one session has seen of each process, in bounded room.
///
/// A table addressed by the process's number, 16 entries at first; it doubles when two processes meet in one entry, up to
/// ``limit``. There the later process takes the entry, since processes are numbered in the order of their starting; an
/// update of one that was displaced so is counted as unchecked.
struct ProcessSteps: Sendable {
    /// The most processes that are remembered at once: 8 KiB a session.
    static let limit = 1024

    private struct Entry: Sendable {
        var process = UInt32.max
        var step: UInt16 = 0
    }

    private var entries: ContiguousArray<Entry> = []

    enum Finding {
        case inOrder
        /// A later step, `after`, was seen before.
        case violated(after: UInt16)
        case unchecked
    }

    /// Notes a new message of `process`; several messages may carry the same step.
    mutating func receive(process: UInt32, step: UInt16) -> Finding {
        if entries.isEmpty { entries = ContiguousArray(repeating: Entry(), count: 16) }
        while true {
            let slot = Int(process) & (entries.count &- 1)
            let known = entries[slot]
            if known.process == process {
                if step < known.step { return .violated(after: known.step) }
                entries[slot].step = step
                return .inOrder
            }
            if known.process == UInt32.max {
                entries[slot] = Entry(process: process, step: step)
                return .inOrder
            }
            if entries.count < ProcessSteps.limit {
                grow()
                continue
            }
            guard process > known.process else { return .unchecked }
            entries[slot] = Entry(process: process, step: step)
            return .inOrder
        }
    }

    /// Gives the table's room back.
    mutating func removeAll() {
        entries = []
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
