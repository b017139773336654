import Testing

@testable import WSMHarness

@Suite("How far threads are woken behind their wakers")
struct PackingSearchTests {
    /// A system that fetches and keeps threads below these shares, and uses a little more than it works.
    private final class System {
        private let (fetches, keeps): (Int64, Int64)
        private var isPacked = false

        init(fetchesBelow fetches: Int64, keepsBelow keeps: Int64) { (self.fetches, self.keeps) = (fetches, keeps) }

        func look(_ share: Int64) -> PackingSearch.Seen {
            let use = share + 7
            isPacked = use < (isPacked ? keeps : fetches)
            return .init(use: use, isPacked: isPacked)
        }
    }

    private func found(fetchesBelow fetches: Int64, keepsBelow keeps: Int64) throws -> [Int64] {
        let system = System(fetchesBelow: fetches, keepsBelow: keeps)
        let found = try PackingSearch(shares: [100, 200, 300, 400, 500], look: system.look).perform()
        return [found.packedBelow, found.keptBelow]
    }

    @Test("A thread that is fetched with less than with which it is kept has two figures")
    func both() throws {
        #expect(try found(fetchesBelow: 250, keepsBelow: 420) == [257, 457])
        #expect(try found(fetchesBelow: 310, keepsBelow: 310) == [357, 357])
    }

    @Test("A system that never packs has none, and one that always does has the most that was tried")
    func ends() throws {
        #expect(try found(fetchesBelow: 0, keepsBelow: 0) == [0, 0])
        #expect(try found(fetchesBelow: 900, keepsBelow: 900) == [507, 507])
    }

    @Test("One that does not come back is only kept")
    func keptOnly() throws {
        var looks = 0
        let search = PackingSearch(shares: [100, 200, 300]) { share in
            looks += 1
            return .init(use: share, isPacked: looks < 3)
        }
        let found = try search.perform()
        #expect(found.packedBelow == 0)
        #expect(found.keptBelow == 250)
        #expect(looks == 5)
    }
}
