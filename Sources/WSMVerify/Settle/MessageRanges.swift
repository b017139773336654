/// Which messages of one publisher concern one session, as ranges of sequence numbers.
struct MessageRanges {
    /// Handed over while the session existed: it may have received them.
    let possible: Range<Int>
    /// Handed over and confirmed while it was certainly there: of these, the decided must have arrived.
    let certain: Range<Int>
    /// As `certain`, up to the last thing that it received: what is missing here is a gap between two receipts.
    let followed: Range<Int>
    /// Submitted while it existed; those never handed over are meant.
    let submitted: Range<Int>
    /// Submitted while it was certainly there; those never handed over are meant.
    let submittedWithin: Range<Int>

    init(_ columns: PublisherColumns, _ window: SessionWindow) {
        possible = columns.handedOver(from: window.attempted, until: window.closed)
        submitted = columns.submitted(from: window.attempted, until: window.closed)
        certain = columns.settled(from: window.from, until: window.until).clamped(to: possible)
        followed = columns.settled(from: window.from, until: window.heard).clamped(to: possible)
        submittedWithin = columns.submitted(from: window.from, until: window.until).clamped(to: submitted)
    }

    /// All of them, and what lies between.
    var hull: Range<Int> {
        if possible.isEmpty { return submitted }
        if submitted.isEmpty { return possible }
        return min(possible.lowerBound, submitted.lowerBound)..<max(possible.upperBound, submitted.upperBound)
    }
}
