/// Which sequence numbers of one publisher a session has received: all from `first` up to `next`, less the holes.
struct SequenceCursor: Sendable {
    /// The lowest number received; -1 as long as there is none.
    var first: Int64 = -1
    /// The highest number received plus one; -1 as long as there is none, so that no number is the expected one.
    var next: Int64 = -1
    /// The index of its holes in the ledger, or -1.
    var holes: Int32 = -1

    var isOpen: Bool { first >= 0 }
}

/// The numbers missing below a cursor: ascending, disjoint, non-empty ranges.
struct HoleList: Sendable {
    private(set) var ranges: ContiguousArray<Range<Int64>> = []

    /// Adds a hole above all others.
    mutating func append(_ range: Range<Int64>) {
        ranges.append(range)
    }

    /// Adds a hole below all others.
    mutating func prepend(_ range: Range<Int64>) {
        ranges.insert(range, at: 0)
    }

    /// What filling a number did.
    enum Filling {
        /// The number was in no hole.
        case notMissing
        /// It was filled; the list holds `change` ranges more than before.
        case filled(change: Int)
        /// It lies inside a range that would have to be split, which the caller forbade.
        case wouldSplit
    }

    /// Takes `number` out of its hole.
    mutating func fill(_ number: Int64, maySplit: Bool) -> Filling {
        let index = position(of: number)
        guard index < ranges.count, ranges[index].contains(number) else { return .notMissing }
        let range = ranges[index]
        if range.count == 1 {
            ranges.remove(at: index)
            return .filled(change: -1)
        }
        if number == range.lowerBound {
            ranges[index] = number + 1..<range.upperBound
        } else if number == range.upperBound - 1 {
            ranges[index] = range.lowerBound..<number
        } else {
            guard maySplit else { return .wouldSplit }
            ranges[index] = range.lowerBound..<number
            ranges.insert(number + 1..<range.upperBound, at: index + 1)
            return .filled(change: 1)
        }
        return .filled(change: 0)
    }

    /// The first range that ends above `number`.
    private func position(of number: Int64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
