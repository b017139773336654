/// What each session of one event loop has received of each publisher.
///
/// A message in order costs one comparison. A cursor is 24 bytes; holes take room only while there are any, up to
/// ``holeLimit`` ranges a session. Beyond that the session's ledger is *blurred*: it goes on counting what certainly is new,
/// and the settlement calls the rest indeterminate.
struct SessionLedger: Sendable {
    /// The most holes, counted as ranges of missing numbers, that a session may have at once.
    static let holeLimit = 4096

    let publisherCount: Int
    private var cursors: ContiguousArray<SequenceCursor> = []
    private var holeLists: ContiguousArray<HoleList> = []
    private var holeCounts: ContiguousArray<Int32> = []
    private var blurred: ContiguousArray<Bool> = []

    init(publisherCount: Int) {
        self.publisherCount = publisherCount
    }

    /// Begins a session; sessions are numbered from 0.
    mutating func openSession() {
        cursors.append(contentsOf: repeatElement(SequenceCursor(), count: publisherCount))
        holeCounts.append(0)
        blurred.append(false)
    }

    /// How a message came, compared to what the session had received before.
    enum Arrival {
        /// It is beyond all that came before.
        case advanced
        /// It is new and comes after a later one.
        case late
        /// It was received before.
        case duplicate
        /// It is one of both, and the ledger no longer knows which.
        case ambiguous
    }

    /// Notes the receipt of number `sequence` of `publisher`, which must be below ``publisherCount``.
    @inline(__always)
    mutating func receive(session: Int, publisher: Int, sequence: Int64) -> Arrival {
        let slot = session &* publisherCount &+ publisher
        if cursors[slot].next == sequence {
            cursors[slot].next = sequence &+ 1
            return .advanced
        }
        return receiveOutOfOrder(session: session, slot: slot, sequence: sequence)
    }

    @inline(never)
    private mutating func receiveOutOfOrder(session: Int, slot: Int, sequence: Int64) -> Arrival {
        let cursor = cursors[slot]
        guard cursor.isOpen else {
            cursors[slot].first = sequence
            cursors[slot].next = sequence + 1
            return .advanced
        }
        if sequence > cursor.next {
            addHole(cursor.next..<sequence, session: session, slot: slot)
            cursors[slot].next = sequence + 1
            return .advanced
        }
        if sequence < cursor.first {
            if sequence + 1 < cursor.first {
                addHole(sequence + 1..<cursor.first, session: session, slot: slot, below: true)
            }
            cursors[slot].first = sequence
            return .late
        }
        return fillHole(session: session, slot: slot, sequence: sequence)
    }

    private mutating func fillHole(session: Int, slot: Int, sequence: Int64) -> Arrival {
        let unknown: Arrival = blurred[session] ? .ambiguous : .duplicate
        let list = Int(cursors[slot].holes)
        guard list >= 0 else { return unknown }
        let maySplit = Int(holeCounts[session]) < SessionLedger.holeLimit
        switch holeLists[list].fill(sequence, maySplit: maySplit) {
        case .notMissing:
            return unknown
        case .filled(let change):
            holeCounts[session] += Int32(change)
            return .late
        case .wouldSplit:
            blurred[session] = true
            return .ambiguous
        }
    }

    private mutating func addHole(_ range: Range<Int64>, session: Int, slot: Int, below: Bool = false) {
        guard Int(holeCounts[session]) < SessionLedger.holeLimit else {
            blurred[session] = true
            return
        }
        if cursors[slot].holes < 0 {
            cursors[slot].holes = Int32(holeLists.count)
            holeLists.append(HoleList())
        }
        holeCounts[session] += 1
        if below {
            holeLists[Int(cursors[slot].holes)].prepend(range)
        } else {
            holeLists[Int(cursors[slot].holes)].append(range)
        }
    }

    // MARK: - Reading

    func cursor(session: Int, publisher: Int) -> SequenceCursor {
        cursors[session * publisherCount + publisher]
    }

    /// The holes below a cursor, in ascending order.
    func holes(of cursor: SequenceCursor) -> ContiguousArray<Range<Int64>> {
        cursor.holes < 0 ? [] : holeLists[Int(cursor.holes)].ranges
    }

    /// Whether the session had more holes than the ledger keeps.
    func isBlurred(session: Int) -> Bool { blurred[session] }
}
