import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

/// The settlement against a naive model that holds sets of everything and compares every session with every message.
@Suite("The settlement and a naive model agree")
struct OracleTests {
    struct Published {
        var publisher: Int
        var sequence: Int64
        var instance: UInt16
        var submitted: Int64
        var published: Int64?
        var settled: Int64?
        var outcome: PublishOutcome
        var isMeasured: Bool
        var message: World.Message
    }

    struct Receipt {
        var message: Int?
        var isFence = false
        var publishedAt: Int64
        var at: Int64
    }

    struct Session {
        var client: UInt32
        var instance: UInt16
        var attempted: Int64
        var closed: Int64
        var end: SessionEnd
        var evicted: Int64?
        var receipts: [Receipt] = []
    }

    struct Totals: Equatable {
        var expected: Int64 = 0
        var received: Int64 = 0
        var lost: Int64 = 0
        var indeterminate: Int64 = 0
        var duplicated: Int64 = 0
        var reordered: Int64 = 0
        var missedOffline: Int64 = 0
        var byCause: [LossCause: Int64] = [:]
    }

    static let measuredFrom: Int64 = 3000

    @Test("On random runs with losses, duplicates, swaps, churn, evictions and failures", arguments: UInt64(1)...60)
    func agrees(seed: UInt64) throws {
        let run = RandomRun(seed: seed)
        let settlement = try run.world.settle()
        let model = totals(of: run)
        let delivery = settlement.delivery
        let actual = Totals(
            expected: delivery.expected, received: delivery.received, lost: delivery.lost,
            indeterminate: delivery.indeterminate, duplicated: delivery.duplicated, reordered: delivery.reordered,
            missedOffline: delivery.missedOffline, byCause: delivery.lostByCause)
        #expect(actual == model, "seed \(seed)")
        #expect(settlement.verdict(.integrity) != .violated, "seed \(seed)")
    }

    // MARK: - The model

    private func totals(of run: RandomRun) -> Totals {
        var totals = Totals()
        for session in run.sessions { add(session, run, to: &totals) }
        for client in Set(run.sessions.map(\.client)) {
            let own = run.sessions.filter { $0.client == client }.sorted { $0.attempted < $1.attempted }
            for message in run.messages where message.isMeasured {
                guard let at = message.published, let first = own.first, let last = own.last, at > first.closed
                else { continue }
                let isAfterAll = at > last.closed
                let isConnected = own.contains { $0.attempted <= at && at <= $0.closed }
                if !isConnected, !(isAfterAll && last.end == .runEnded) { totals.missedOffline += 1 }
            }
        }
        return totals
    }

    private func add(_ session: Session, _ run: RandomRun, to totals: inout Totals) {
        var received: Set<Int> = []
        for receipt in session.receipts {
            guard let index = receipt.message else { continue }
            let message = run.messages[index]
            let count: Int64 = message.isMeasured ? 1 : 0
            if received.contains(index) {
                totals.duplicated += count
                continue
            }
            let isLate = received.contains {
                run.messages[$0].publisher == message.publisher && run.messages[$0].sequence > message.sequence
            }
            if isLate { totals.reordered += count }
            totals.received += count
            totals.expected += count
            received.insert(index)
        }
        let from = session.receipts.first?.at ?? .max
        let until = session.receipts.map(\.publishedAt).max() ?? .min
        let evicted = session.receipts.isEmpty ? until : max(until, session.evicted ?? .min)
        for index in run.messages.indices where !received.contains(index) {
            let message = run.messages[index]
            let begin = message.published ?? message.submitted
            guard message.isMeasured, begin >= session.attempted, begin <= session.closed else { continue }
            totals.expected += 1
            let isPassed = received.contains {
                run.messages[$0].publisher == message.publisher && run.messages[$0].sequence > message.sequence
            }
            let isFollowed: Bool
            let isLost: Bool
            if message.published == nil {
                isFollowed = true
                isLost = message.outcome != .pending && begin >= from && begin <= evicted
            } else if let settled = message.settled {
                isFollowed = settled <= until
                isLost = begin >= from && settled <= evicted
            } else {
                isFollowed = true
                isLost = begin >= from && isPassed
            }
            guard isLost else {
                totals.indeterminate += 1
                continue
            }
            totals.lost += 1
            totals.byCause[cause(message, session, isFollowed: isFollowed, run), default: 0] += 1
        }
    }

    private func cause(
        _ message: Published, _ session: Session, isFollowed: Bool, _ run: RandomRun
    ) -> LossCause {
        if run.isMemory, message.instance != session.instance { return .otherInstance }
        switch message.outcome {
        case .queueDropped: return .queueDropped
        case .threadDead: return .threadDead
        case .failed, .maybePublished: return .publishFailed
        case .pending, .published: break
        }
        if !isFollowed { return .evicted }
        let begin = message.published ?? message.submitted
        let end = max(begin, message.settled ?? begin)
        if begin <= run.outage.upperBound, run.outage.lowerBound <= end { return .brokerGap }
        return .unexplained
    }
}

/// A run drawn from a seed, played to the observers and kept for the model.
struct RandomRun {
    let world: World
    let isMemory: Bool
    let outage: ClosedRange<Int64> = 4000...4300
    private(set) var messages: [OracleTests.Published] = []
    private(set) var sessions: [OracleTests.Session] = []
    private var random: CounterRNG

    init(seed: UInt64) {
        random = CounterRNG(seed: seed, stream: .payload, entity: 99)
        isMemory = random.below(3) == 0
        world = World(
            publisherInstances: [0, 1, 0], loops: 2, measuredFrom: OracleTests.measuredFrom,
            manager: isMemory ? .memory : .broadcast)
        world.context.brokerOutages = [
            .init(instance: nil, from: World.at(outage.lowerBound), until: World.at(outage.upperBound))
        ]
        publish()
        for client in 0..<UInt32(4) { connect(client) }
    }

    private mutating func publish() {
        for publisher in 0..<3 {
            var time: Int64 = 1000 + Int64(publisher)
            var settled: Int64 = 0
            for sequence in 0..<Int64(40 + random.below(60)) {
                time += Int64(10 + random.below(120))
                settled = max(settled, time + 1 + Int64(random.below(200)))
                publishOne(publisher, sequence, at: time, settled: settled)
            }
        }
        messages.sort { $0.submitted < $1.submitted }
    }

    private mutating func publishOne(_ publisher: Int, _ sequence: Int64, at: Int64, settled: Int64) {
        let outcomes: [PublishOutcome] = [.queueDropped, .threadDead, .failed, .maybePublished, .pending]
        let outcome = random.below(12) == 0 ? outcomes[random.below(5)] : .published
        // Now and then nobody confirms a publish.
        let isConfirmed = outcome != .published || random.below(15) > 0
        let message = world.publish(publisher, at: at, acknowledged: isConfirmed ? settled : -1, outcome: outcome)
        let wasHandedOver = outcome == .published || outcome == .maybePublished
        messages.append(
            OracleTests.Published(
                publisher: publisher, sequence: sequence, instance: world.logs[publisher].instance,
                submitted: at - 2, published: wasHandedOver ? at : nil,
                settled: isConfirmed && outcome != .pending ? settled : nil, outcome: outcome,
                isMeasured: at - 3 >= OracleTests.measuredFrom, message: message))
    }

    /// One to three sessions of a client, one after the other.
    private mutating func connect(_ client: UInt32) {
        let instance = UInt16(random.below(2))
        var time = Int64(random.below(3000))
        for _ in 0...random.below(3) where time < 9000 {
            let closed = time + 1500 + Int64(random.below(7000))
            let ends: [SessionEnd] = [.runEnded, .churned, .dropped, .closedByServer(code: 1001)]
            var session = OracleTests.Session(
                client: client, instance: instance, attempted: time, closed: closed, end: ends[random.below(4)])
            if random.below(4) == 0 {
                session.evicted = closed - Int64(random.below(300))
                world.context.evictions.append(
                    .init(client: client, instance: instance, at: World.at(session.evicted ?? 0)))
            }
            receive(&session, loop: Int(client) % 2)
            sessions.append(session)
            time = closed + 200 + Int64(random.below(1500))
        }
    }

    private mutating func receive(_ session: inout OracleTests.Session, loop: Int) {
        var stream: [OracleTests.Receipt] = []
        let lossy = 2 + random.below(30)
        for (index, message) in messages.enumerated() {
            guard let at = message.published, at > session.attempted + 20, at < session.closed - 20 else { continue }
            if isMemory, message.instance != session.instance { continue }
            if message.outcome == .maybePublished, random.below(2) == 0 { continue }
            if random.below(lossy) == 0 { continue }
            stream.append(.init(message: index, publishedAt: at, at: 0))
            if random.below(20) == 0 { stream.append(.init(message: index, publishedAt: at, at: 0)) }
        }
        for _ in 0..<(stream.isEmpty ? 0 : random.below(6)) {
            stream.swapAt(random.below(stream.count), random.below(stream.count))
        }
        if random.below(2) == 0, !stream.isEmpty { stream.removeLast(random.below(stream.count)) }
        play(stream, &session, loop: loop)
    }

    private mutating func play(_ stream: [OracleTests.Receipt], _ session: inout OracleTests.Session, loop: Int) {
        let handle = world.open(client: session.client, instance: session.instance, loop: loop, at: session.attempted)
        var stream = stream
        if random.below(2) == 0 {
            stream.insert(.init(message: nil, isFence: true, publishedAt: session.attempted + 1, at: 0), at: 0)
        }
        if random.below(2) == 0 {
            stream.append(.init(message: nil, isFence: true, publishedAt: session.closed - 5, at: 0))
        }
        var time = session.attempted + 2
        for var receipt in stream {
            time = max(time + 1, receipt.publishedAt + 1)
            receipt.at = time
            let message = receipt.message.map { messages[$0].message } ?? world.fence(at: receipt.publishedAt)
            world.deliver(message, to: handle, at: time)
            session.receipts.append(receipt)
        }
        world.close(handle, session.end, at: session.closed)
    }
}
