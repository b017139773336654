import Testing
import WSMCore

@testable import WSMVerify

struct SessionDetoursTests {
    @Test("The detour of a place is the one that a look at all of them finds", arguments: 1...20 as ClosedRange<UInt64>)
    func finds(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 3)
        var detours: [SessionLedger.Detour] = []
        var place: UInt32 = 0
        for _ in 0..<random.below(40) {
            place += UInt32(random.below(4))
            let end = place + 1 + UInt32(random.below(5))
            detours.append(.init(session: 0, from: place, to: end, reached: end + 3, before: 0))
            place = end
        }
        // They come in any order, whatever places they cover.
        for index in detours.indices.dropFirst() { detours.swapAt(index, random.below(index + 1)) }
        let indexed = SessionDetours(detours)
        for place in 0..<Int(place) + 3 {
            let expected = detours.firstIndex { $0.places.contains(place) }
            #expect(indexed.index(covering: place) == expected, "seed \(seed), place \(place)")
        }
    }
}
