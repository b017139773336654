/// Where each message of one publisher stands in a channel's order.
///
/// Sequence numbers have no gaps, so an array from the first number seen holds the places. A number that no publisher can
/// have reached (a forged one) is kept apart, in bounded room.
struct SequencePlaces: Sendable {
    /// A number further than this beyond the others is kept apart: it must not take the memory.
    static let longestSkip = 1 << 20
    /// The most numbers that are kept apart.
    static let strayLimit = 4096
    private static let none = UInt32.max

    private var base = 0
    private var places: ContiguousArray<UInt32> = []
    private(set) var strays: [Int: Int] = [:]

    /// The highest number that has a place, strays aside; -1 as long as there is none.
    var highest: Int { places.isEmpty ? -1 : base + places.count - 1 }
    /// The numbers between the lowest and the highest, strays aside.
    var range: Range<Int> { base..<(base + places.count) }

    func place(of sequence: Int) -> Int? {
        let offset = sequence &- base
        if offset >= 0, offset < places.count {
            return places[offset] == SequencePlaces.none ? nil : Int(places[offset])
        }
        return strays.isEmpty ? nil : strays[sequence]
    }

    /// Gives `sequence` its place; false when there is no room for it.
    mutating func set(_ sequence: Int, _ place: Int) -> Bool {
        let word = UInt32(truncatingIfNeeded: place)
        if places.isEmpty, sequence <= SequencePlaces.longestSkip {
            base = sequence
            places.append(word)
            return true
        }
        let offset = sequence - base
        switch offset {
        case 0..<places.count:
            places[offset] = word
        case places.count..<(places.count + SequencePlaces.longestSkip) where !places.isEmpty:
            places.append(contentsOf: repeatElement(SequencePlaces.none, count: offset - places.count))
            places.append(word)
        case (-SequencePlaces.longestSkip)..<0 where !places.isEmpty:
            places.insert(contentsOf: repeatElement(SequencePlaces.none, count: -offset), at: 0)
            places[0] = word
            base = sequence
        default:
            guard strays.count < SequencePlaces.strayLimit else { return false }
            strays[sequence] = place
        }
        return true
    }
}
