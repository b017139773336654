/// What one session received of one publisher, as ascending ranges of sequence numbers.
struct ReceivedRanges: Equatable {
    /// Those that the publisher submitted.
    private(set) var ranges: [Range<Int>] = []
    /// How many numbers came that it never submitted, and the first of them.
    var neverSubmitted: Int64 = 0
    var firstNeverSubmitted: Int?

    var isEmpty: Bool { ranges.isEmpty && neverSubmitted == 0 }

    /// The highest number received that was submitted, plus one.
    var end: Int { ranges.last?.upperBound ?? 0 }

    /// Adds a range above all others; one that touches the last is joined to it.
    mutating func append(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }

    /// Takes these numbers out, which must ascend.
    mutating func subtract(_ numbers: [Int]) {
        guard !numbers.isEmpty else { return }
        var rest = numbers[...]
        var kept = ReceivedRanges()
        for range in ranges {
            var start = range.lowerBound
            while let number = rest.first, number < range.upperBound {
                rest.removeFirst()
                guard number >= start else { continue }
                kept.append(start..<number)
                start = number + 1
            }
            kept.append(start..<range.upperBound)
        }
        ranges = kept.ranges
    }

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
