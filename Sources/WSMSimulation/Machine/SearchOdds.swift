/// How often a core that runs out of work looks for some on the others: as often as that lately found any (`NI_RANDOM`,
/// `kernel/sched/fair.c` of Linux).
struct SearchOdds {
    /// Out of so many.
    static let whole: Int64 = 1024

    private var ratio = whole / 2
    private var occasions: Int64 = 0
    private var found: Int64 = 0

    /// Whether it looks, by a draw from 0 up to ``whole``.
    ///
    /// If it does, ``note(found:)`` has to be told what came of it.
    mutating func looks(_ draw: Int64) -> Bool {
        guard draw > 1 + ratio else { return true }
        count(0)
        return false
    }

    /// It has looked; what is found counts for those times, too, at which it did not look.
    mutating func note(found isFound: Bool) {
        let weight = 1 + ratio
        count(isFound ? (Self.whole + weight / 2) / weight : 0)
    }

    private mutating func count(_ successes: Int64) {
        occasions += 1
        found += successes
        guard occasions >= Self.whole else { return }
        ratio = found
        occasions /= 2
        found /= 2
    }
}
