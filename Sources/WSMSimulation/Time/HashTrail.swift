package import WSMCore

/// The trace hash at even steps of a simulation, so that two runs which differ tell where they parted.
///
/// Bounded: when it is full every other mark goes, and the next ones are twice as far apart.
package struct HashTrail: Hashable, Sendable {
    /// A hash, and when it was taken.
    package struct Mark: Hashable, Sendable {
        /// Entries of the agenda performed until then.
        package var step: Int
        /// Virtual time since the simulation's begin.
        package var at: TimeSpan
        var hash: UInt64
    }

    /// Where two runs parted: they are the same up to the first mark, and no longer at the second.
    package struct Parting: Hashable, Sendable {
        package var after: Mark?
        package var before: Mark?
    }

    static let capacity = 1024
    private static let closest = 64

    private(set) var interval = HashTrail.closest
    private(set) var marks: ContiguousArray<Mark> = []

    package init() {}

    /// Takes the hash in if the step is one of those that are kept.
    mutating func note(step: Int, at: TimeSpan, hash: UInt64) {
        guard step.isMultiple(of: interval) else { return }
        marks.append(Mark(step: step, at: at, hash: hash))
        guard marks.count == Self.capacity else { return }
        interval *= 2
        marks.removeAll { !$0.step.isMultiple(of: interval) }
    }

    /// Where `other` parts from this run; `nil` where all marks that both have are the same, and both have as many.
    package func parting(from other: HashTrail) -> Parting? {
        let step = max(interval, other.interval)
        let ours = marks.filter { $0.step.isMultiple(of: step) }
        let theirs = other.marks.filter { $0.step.isMultiple(of: step) }
        for (index, (mine, yours)) in zip(ours, theirs).enumerated() where mine.hash != yours.hash {
            return Parting(after: index > 0 ? ours[index - 1] : nil, before: mine)
        }
        guard ours.count != theirs.count else { return nil }
        let common = min(ours.count, theirs.count)
        return Parting(
            after: common > 0 ? ours[common - 1] : nil, before: ours.count > common ? ours[common] : theirs[common])
    }
}
