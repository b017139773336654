import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("The order that clients agree on")
struct TotalOrderTests {
    /// Plays each client's messages, by their index, in its own order; messages alternate between two publishers.
    private func settle(
        _ streams: [[Int]], count: Int, loops: Int, instances: Int = 1, spacing: Int64 = 10
    ) throws -> Settlement {
        let world = World(publisherInstances: [0, 0], loops: loops)
        let messages = (0..<count).map { world.publish($0 % 2, at: 100 + Int64($0) * spacing, acknowledged: nil) }
        let sessions = streams.indices.map {
            world.open(client: UInt32($0), instance: UInt16($0 % instances), loop: $0 % loops, at: 0)
        }
        var positions = streams.map { _ in 0 }
        // Clients take turns, as their reads would.
        while true {
            var isDone = true
            for (client, stream) in streams.enumerated() where positions[client] < stream.count {
                isDone = false
                world.deliver(messages[stream[positions[client]]], to: sessions[client], at: 50_000)
                positions[client] += 1
            }
            if isDone { break }
        }
        for session in sessions { world.close(session, at: 100_000) }
        return try world.settle()
    }

    @Test("Two messages swapped for one client of four are one violation, whoever it is", arguments: 0..<4)
    func swap(client: Int) throws {
        for loops in 1...3 {
            var streams = [[Int]](repeating: Array(0..<40), count: 4)
            streams[client].swapAt(20, 21)
            let settlement = try settle(streams, count: 40, loops: loops)
            #expect(settlement.violations(.totalOrder) == 1, "loops \(loops)")
            #expect(settlement.outcome(.totalOrder)?.checked == 120)
            let witness = try #require(settlement.outcome(.totalOrder)?.witness)
            #expect(witness.contains("client \(client) "), "\(witness)")
            #expect(witness.contains("0:10") && witness.contains("1:10"), "\(witness)")
            // They were published by two publishers.
            #expect(settlement.verdict(.publisherOrder) == .holds)
        }
    }

    @Test("A message that one client saw much later or earlier is one violation", arguments: 0..<3)
    func moved(client: Int) throws {
        for isLater in [true, false] {
            for loops in 1...2 {
                var streams = [[Int]](repeating: Array(0..<60), count: 3)
                let message = streams[client].remove(at: isLater ? 10 : 40)
                streams[client].insert(message, at: isLater ? 40 : 10)
                let settlement = try settle(streams, count: 60, loops: loops)
                #expect(settlement.violations(.totalOrder) == 1, "later \(isLater), loops \(loops)")
            }
        }
    }

    @Test("Losses, duplicates and late joiners contradict nobody")
    func noContradiction() throws {
        for loops in 1...3 {
            let all = Array(0..<60)
            let streams: [[Int]] = [
                all.filter { $0 % 7 != 3 }, all.filter { $0 % 5 != 1 }, Array(all[20...]), all.flatMap { [$0, $0] },
                all.filter { $0 % 7 == 3 },
            ]
            let settlement = try settle(streams, count: 60, loops: loops)
            #expect(settlement.verdict(.totalOrder) == .holds, "loops \(loops)")
            #expect(settlement.verdict(.realTimeOrder) == .holds, "loops \(loops)")
        }
    }

    @Test("Two instances that order two publishers differently disagree once for each client of the smaller one")
    func instances() throws {
        var streams = [[Int]](repeating: Array(0..<40), count: 5)
        // Clients 1 and 3 are on instance 1, the others on instance 0.
        for client in [1, 3] { streams[client].swapAt(30, 31) }
        for loops in 1...2 {
            let settlement = try settle(streams, count: 40, loops: loops, instances: 2)
            #expect(settlement.violations(.totalOrder) == 2, "loops \(loops)")
        }
    }

    @Test("A verdict is what comparing every pair of every two clients says", arguments: UInt64(1)...200)
    func model(seed: UInt64) throws {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 21)
        let count = 30
        let loses = random.below(2) == 0
        let streams: [[Int]] = (0..<(2 + random.below(4))).map { _ in
            var stream = Array(0..<count)
            if loses { stream = stream.filter { _ in random.below(8) > 0 } }
            for _ in 0..<(random.below(3) / 2 * random.below(4)) {
                let from = random.below(stream.count)
                let message = stream.remove(at: from)
                stream.insert(message, at: min(stream.count, max(0, from + random.below(9) - 4)))
            }
            return stream
        }
        let loops = 1 + random.below(3)
        let settlement = try settle(streams, count: count, loops: loops, instances: 1 + random.below(2))
        let isContradicted = streams.indices.contains { one in
            streams.indices.contains { other in other > one && contradict(streams[one], streams[other]) }
        }
        let verdict = settlement.verdict(.totalOrder)
        #expect(
            verdict == (isContradicted ? .violated : .holds), "seed \(seed), loops \(loops), streams \(streams)")
    }

    private func contradict(_ one: [Int], _ other: [Int]) -> Bool {
        var places: [Int: Int] = [:]
        for (place, message) in other.enumerated() { places[message] = place }
        let common = one.compactMap { places[$0] }
        return zip(common, common.dropFirst()).contains { $0 > $1 }
    }
}

@Suite("The order in real time")
struct RealTimeOrderTests {
    @Test("A message seen after one that began when it was acknowledged already is found, for one client or for all")
    func stale() throws {
        for isForAll in [true, false] {
            let world = World(publisherInstances: [0, 0])
            // The first is acknowledged at 105, the second begins at 120.
            let first = world.publish(0, at: 100)
            let second = world.publish(1, at: 120)
            let third = world.publish(0, at: 140)
            for client in 0..<3 as Range<UInt32> {
                let session = world.open(client: client, at: 0)
                let isWrong = isForAll || client == 1
                for message in isWrong ? [second, first, third] : [first, second, third] {
                    world.deliver(message, to: session, at: 200)
                }
                world.close(session, at: 300)
            }
            let settlement = try world.settle()
            #expect(settlement.violations(.realTimeOrder) == (isForAll ? 3 : 1))
            #expect(settlement.outcome(.realTimeOrder)?.checked == 6)
            #expect(settlement.outcome(.realTimeOrder)?.witness?.contains("saw 0:0 after 1:0") == true)
            // All clients agree when all are wrong.
            #expect(settlement.verdict(.totalOrder) == (isForAll ? .holds : .violated))
        }
    }

    @Test("Publishes that overlap may be seen either way")
    func concurrent() throws {
        let world = World(publisherInstances: [0, 0])
        let first = world.publish(0, at: 100, acknowledged: 150)
        let second = world.publish(1, at: 120)
        let session = world.open(client: 0, at: 0)
        for message in [second, first] { world.deliver(message, to: session, at: 200) }
        world.close(session, at: 300)
        #expect(try world.settle().verdict(.realTimeOrder) == .holds)
    }

    @Test("A verdict is what comparing every pair of receipts says", arguments: UInt64(1)...150)
    func model(seed: UInt64) throws {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 22)
        let world = World(publisherInstances: [0, 1], loops: 2)
        var published: [(message: World.Message, begin: Int64, acknowledged: Int64)] = []
        var free: [Int64] = [100, 100]
        for index in 0..<40 {
            let publisher = index % 2
            let begin = free[publisher] + Int64(random.below(30))
            let acknowledged = begin + 1 + Int64(random.below(40))
            free[publisher] = acknowledged + 1
            published.append((world.publish(publisher, at: begin, acknowledged: acknowledged), begin, acknowledged))
        }
        published.sort { $0.begin < $1.begin }
        var isViolated = false
        for client in 0..<3 {
            var stream = Array(published.indices).filter { _ in random.below(10) > 0 }
            if random.below(3) == 0 {
                let from = random.below(stream.count)
                stream.insert(stream.remove(at: from), at: min(stream.count - 1, from + random.below(4)))
            }
            let session = world.open(client: UInt32(client), loop: client % 2, at: 0)
            for (position, index) in stream.enumerated() {
                world.deliver(published[index].message, to: session, at: 5000 + Int64(position))
                isViolated =
                    isViolated
                    || stream[..<position].contains { published[$0].begin > published[index].acknowledged }
            }
            world.close(session, at: 9000)
        }
        #expect(
            try world.settle().verdict(.realTimeOrder) == (isViolated ? .violated : .holds), "seed \(seed)")
    }
}
