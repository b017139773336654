/// Numbers missing below a session's place in a channel's order: ascending, disjoint, non-empty ranges.
struct HoleList: Sendable {
    private(set) var ranges: ContiguousArray<Range<Int>> = []

    var isEmpty: Bool { ranges.isEmpty }

    /// Adds a hole above all others.
    mutating func append(_ range: Range<Int>) {
        ranges.append(range)
    }

    /// Adds a hole below all others.
    mutating func prepend(_ range: Range<Int>) {
        ranges.insert(range, at: 0)
    }

    func contains(_ number: Int) -> Bool {
        let index = position(of: number)
        return index < ranges.count && ranges[index].contains(number)
    }

    /// What filling a number did.
    enum Filling {
        /// The number was in no hole.
        case notMissing
        case filled
        /// It lies inside a range that would have to be split, which the caller forbade.
        case wouldSplit
    }

    /// Takes `number` out of its hole.
    mutating func fill(_ number: Int, maySplit: Bool) -> Filling {
        let index = position(of: number)
        guard index < ranges.count, ranges[index].contains(number) else { return .notMissing }
        let range = ranges[index]
        if range.count == 1 {
            ranges.remove(at: index)
        } else if number == range.lowerBound {
            ranges[index] = number + 1..<range.upperBound
        } else if number == range.upperBound - 1 {
            ranges[index] = range.lowerBound..<number
        } else {
            guard maySplit else { return .wouldSplit }
            ranges[index] = range.lowerBound..<number
            ranges.insert(number + 1..<range.upperBound, at: index + 1)
        }
        return .filled
    }

    /// The first range that ends above `number`.
    private func position(of number: Int) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
