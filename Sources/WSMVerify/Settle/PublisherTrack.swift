/// The messages of one publisher in one channel's order, made ready for the question "which of them are in this slice?".
///
/// A publisher's messages stand in the order of their numbers, so that a slice of the order is a range of numbers, found by
/// binary search. Where they do not, the running minimum from the end and the running maximum from the start bound the
/// stretch that has to be looked at one by one.
struct PublisherTrack {
    /// The submitted numbers that have a place, ascending, and their places.
    private var numbers: [Int] = []
    private var places: [Int] = []
    /// For each of them the least place from there on, and the greatest up to there.
    private var floor: [Int] = []
    private var ceiling: [Int] = []
    /// Indices into `numbers` after which a number is missing.
    private var gapsAfter: [Int] = []
    /// All of the above by their place; empty where that is the order of the numbers.
    private var byPlace: [Int] = []
    /// Numbers that were never submitted, and their places.
    private var strangers: [(number: Int, place: Int)] = []
    private var lastAnswer: (slice: Range<Int>, ranges: ReceivedRanges)?

    var isEmpty: Bool { numbers.isEmpty && strangers.isEmpty }

    /// - Parameter count: how many messages the publisher submitted.
    init(_ order: ChannelOrder, publisher: Int, count: Int) {
        guard let known = order.places(ofPublisher: publisher) else { return }
        for number in known.range {
            guard let place = known.place(of: number) else { continue }
            if number < count {
                numbers.append(number)
                places.append(place)
            } else {
                strangers.append((number, place))
            }
        }
        for (number, place) in known.strays.sorted(by: { $0.key < $1.key }) { addStray(number, place, count: count) }
        ceiling = places
        floor = places
        for index in places.indices.dropFirst() { ceiling[index] = max(ceiling[index], ceiling[index - 1]) }
        for index in places.indices.dropLast().reversed() { floor[index] = min(floor[index], floor[index + 1]) }
        gapsAfter = numbers.indices.dropLast().filter { numbers[$0 + 1] != numbers[$0] + 1 }
        if ceiling != places { byPlace = places.indices.sorted { places[$0] < places[$1] } }
    }

    /// A stray is a number far from the others; one that was submitted after all takes its place among them.
    private mutating func addStray(_ number: Int, _ place: Int, count: Int) {
        guard number < count else {
            strangers.append((number, place))
            return
        }
        let index = numbers.firstIndex { $0 > number } ?? numbers.endIndex
        numbers.insert(number, at: index)
        places.insert(place, at: index)
    }

    /// What a session with this slice received, but for the holes of its departure.
    mutating func received(_ slice: Range<Int>, _ departure: Departure?) -> ReceivedRanges {
        guard !slice.isEmpty else { return ReceivedRanges() }
        var ranges: ReceivedRanges
        if let known = lastAnswer, known.slice == slice {
            ranges = known.ranges
        } else {
            ranges = received(slice)
            lastAnswer = (slice, ranges)
        }
        guard let holes = departure?.holes, !holes.isEmpty else { return ranges }
        ranges.subtract(holes.ranges.flatMap { numbers(in: $0) }.sorted())
        if !strangers.isEmpty { addStrangers(slice, holes, to: &ranges) }
        return ranges
    }

    private func received(_ slice: Range<Int>) -> ReceivedRanges {
        var ranges = ReceivedRanges()
        // Below `low` everything stands before the slice, from `sureLow` on nothing does; likewise at its end.
        let low = first(in: ceiling, notBelow: slice.lowerBound)
        let sureLow = first(in: floor, notBelow: slice.lowerBound)
        let sureHigh = first(in: ceiling, notBelow: slice.upperBound)
        let high = first(in: floor, notBelow: slice.upperBound)
        if sureLow <= sureHigh {
            appendOneByOne(low..<sureLow, slice, to: &ranges)
            appendAll(sureLow..<sureHigh, to: &ranges)
            appendOneByOne(sureHigh..<max(sureHigh, high), slice, to: &ranges)
        } else {
            appendOneByOne(low..<max(low, high), slice, to: &ranges)
        }
        addStrangers(slice, HoleList(), to: &ranges)
        return ranges
    }

    private func appendOneByOne(_ indices: Range<Int>, _ slice: Range<Int>, to ranges: inout ReceivedRanges) {
        for index in indices where slice.contains(places[index]) { ranges.append(numbers[index]..<numbers[index] + 1) }
    }

    private func appendAll(_ indices: Range<Int>, to ranges: inout ReceivedRanges) {
        var start = indices.lowerBound
        var gap = first(in: gapsAfter, notBelow: start)
        while start < indices.upperBound {
            let end = gap < gapsAfter.count ? min(gapsAfter[gap] + 1, indices.upperBound) : indices.upperBound
            ranges.append(numbers[start]..<numbers[end - 1] + 1)
            start = end
            gap += 1
        }
    }

    private func addStrangers(_ slice: Range<Int>, _ holes: HoleList, to ranges: inout ReceivedRanges) {
        let received = strangers.filter { slice.contains($0.place) && !holes.contains($0.place) }
        ranges.neverSubmitted = Int64(received.count)
        ranges.firstNeverSubmitted = received.first?.number
    }

    /// The numbers that stand in a stretch of the order.
    private func numbers(in stretch: Range<Int>) -> [Int] {
        if byPlace.isEmpty {
            let low = first(in: places, notBelow: stretch.lowerBound)
            let high = first(in: places, notBelow: stretch.upperBound)
            return Array(numbers[low..<high])
        }
        var low = 0
        var high = byPlace.count
        while low < high {
            let middle = (low + high) / 2
            if places[byPlace[middle]] < stretch.lowerBound { low = middle + 1 } else { high = middle }
        }
        return byPlace[low...].prefix { places[$0] < stretch.upperBound }.map { numbers[$0] }
    }

    /// The first index whose value is not below `bound`; the values ascend.
    private func first(in values: [Int], notBelow bound: Int) -> Int {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
