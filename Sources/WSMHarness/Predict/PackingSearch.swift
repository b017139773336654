/// Finds how much of a core is used when a thread that is woken no longer runs behind its waker, on the waker's core.
///
/// The waker works more and more until the woken thread leaves its core, and then less and less until it comes back: a system may keep a
/// thread where it is with more than with which it fetches it.
struct PackingSearch {
    /// What was seen while the waker worked so much.
    struct Seen {
        /// What it really used of its core, in thousandths.
        var use: Int64
        /// Whether most wake-ups went there.
        var isPacked: Bool
    }

    /// Shares of the time, in thousandths, that the waker works; rising.
    let shares: [Int64]
    /// Lets the waker work such a share and looks.
    let look: (Int64) throws -> Seen

    /// The use below which a thread is fetched, and that below which it is kept, each the middle between two looks; 0: never.
    func perform() throws -> (packedBelow: Int64, keptBelow: Int64) {
        var kept: Int64 = 0
        for (place, share) in shares.enumerated() {
            let seen = try look(share)
            guard seen.isPacked else {
                guard place > 0 else { return (0, 0) }
                return (try comingBack(from: seen.use, by: shares[..<place].reversed()), (kept + seen.use) / 2)
            }
            kept = seen.use
        }
        return (kept, kept)
    }

    private func comingBack(from use: Int64, by shares: [Int64]) throws -> Int64 {
        var last = use
        for share in shares {
            let seen = try look(share)
            if seen.isPacked { return (seen.use + last) / 2 }
            last = seen.use
        }
        return 0
    }
}
