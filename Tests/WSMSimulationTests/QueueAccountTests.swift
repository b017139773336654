import Testing
import WSMCore

@testable import WSMSimulation

@Suite("The account of a queue: Little's law")
struct QueueAccountTests {
    /// The instant so many nanoseconds after the start of time.
    private func at(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    /// Three items come at 10, 20 and 30; the first two leave at 50, and the third stays.
    private func account(lengths: [Int] = [1, 2, 3, 1], departures: Int = 2) -> QueueAccount {
        var account = QueueAccount()
        for (place, instant) in [Int64(10), 20, 30].enumerated() {
            account.arrive(at: at(instant))
            account.observe(length: lengths[place], at: at(instant))
        }
        account.depart(departures, at: at(50))
        account.observe(length: lengths[3], at: at(50))
        return account
    }

    @Test("Area and waits agree, those that still wait among them")
    func balance() {
        let account = account()
        #expect(account.imbalance(at: at(70)) == nil)
        #expect(account.area == 10 + 20 + 60)
        #expect(account.waited == 40 + 30 && account.departed == 2)
    }

    @Test("A miscount is found: a wrong length, an item that is gone, one that leaves twice", arguments: [0, 1, 2])
    func planted(_ defect: Int) throws {
        let account =
            switch defect {
            case 0: account(lengths: [1, 1, 3, 1])
            case 1: account(lengths: [1, 2, 3, 0])
            default: account(departures: 4)
            }
        let found = try #require(account.imbalance(at: at(70)))
        let words = ["the lengths add up to", "1 items have not left, and the queue holds 0", "that had never come"]
        #expect(found.contains(words[defect]))
    }
}
