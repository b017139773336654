/// Which messages of one publisher concern one session, as ranges of sequence numbers.
struct MessageRanges {
    /// Handed over while the session existed: it may have received them.
    let possible: Range<Int>
    /// Handed over and confirmed while it was certainly there: of these, the decided must have arrived.
    let certain: Range<Int>
    /// As `certain`, up to the last thing that it received.
    let followed: Range<Int>
    /// Submitted while it existed; those never handed over are meant.
    let submitted: Range<Int>
    /// Submitted while it was certainly there; those never handed over are meant.
    let submittedWithin: Range<Int>

    init(_ columns: PublisherColumns, _ window: SessionWindow) {
        possible = columns.handedOver(from: window.attempted, until: window.closed)
        submitted = columns.submitted(from: window.attempted, until: window.closed)
        certain = columns.settled(from: window.from, until: window.untilEvicted).clamped(to: possible)
        followed = columns.settled(from: window.from, until: window.until).clamped(to: possible)
        submittedWithin = columns.submitted(from: window.from, until: window.untilEvicted).clamped(to: submitted)
    }

    /// All of them, and what lies between.
    var hull: Range<Int> {
        if possible.isEmpty { return submitted }
        if submitted.isEmpty { return possible }
        return min(possible.lowerBound, submitted.lowerBound)..<max(possible.upperBound, submitted.upperBound)
    }
}

/// What one session received of one publisher, as ascending ranges of sequence numbers.
struct ReceivedRanges {
    /// Those that the publisher submitted.
    private(set) var ranges: [Range<Int>] = []
    /// How many numbers came that it never submitted, and the first of them.
    private(set) var neverSubmitted: Int64 = 0
    private(set) var firstNeverSubmitted: Int64?

    var isAny: Bool { !ranges.isEmpty || neverSubmitted > 0 }

    /// - Parameter count: how many messages the publisher submitted.
    init(_ cursor: SequenceCursor, holes: ContiguousArray<Range<Int64>>, count: Int) {
        guard cursor.isOpen else { return }
        var start = cursor.first
        for hole in holes {
            add(start..<hole.lowerBound, count: Int64(count))
            start = hole.upperBound
        }
        add(start..<cursor.next, count: Int64(count))
    }

    private mutating func add(_ range: Range<Int64>, count: Int64) {
        guard !range.isEmpty else { return }
        let end = min(range.upperBound, count)
        if range.lowerBound < end { ranges.append(Int(range.lowerBound)..<Int(end)) }
        let beyond = max(range.lowerBound, count)
        guard beyond < range.upperBound else { return }
        neverSubmitted += range.upperBound - beyond
        if firstNeverSubmitted == nil { firstNeverSubmitted = beyond }
    }

    /// The highest number received that was submitted, plus one.
    var end: Int { ranges.last?.upperBound ?? 0 }

    /// Calls `body` with each range of `hull` that was not received.
    func forEachMissing(in hull: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = hull.lowerBound
        for range in ranges {
            let missing = start..<max(start, min(range.lowerBound, hull.upperBound))
            if !missing.isEmpty { body(missing) }
            start = max(start, range.upperBound)
        }
        if start < hull.upperBound { body(start..<hull.upperBound) }
    }
}
