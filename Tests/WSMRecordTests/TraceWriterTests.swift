import Foundation
import Testing
import WSMCore

@testable import WSMRecord

@Suite("The trace's writer", .timeLimit(.minutes(2)))
struct TraceWriterTests {
    @Test("XXH64 gives the reference's values")
    func hash() {
        func hash(_ text: String, seed: UInt64 = 0) -> UInt64 {
            Array(text.utf8).withUnsafeBytes { XXH64.hash($0, seed: seed) }
        }
        #expect(hash("") == 0xef46_db37_51d8_e999)
        #expect(hash("a") == 0xd24e_c4f1_a98c_6e5b)
        #expect(hash("abc") == 0x44bc_2cf5_ad77_0999)
        #expect(hash("Nobody inspects the spammish repetition") == 0xfbce_a83c_8a37_8bf1)
        #expect(hash("xxhash", seed: 20_141_025) == 13_067_679_811_253_438_005)
    }

    @Test("Without a free buffer events are dropped and counted, and the trace says how many")
    func drops() async throws {
        let pool = TracePool(limit: 2)
        let lane = TraceLane(lane: 1, index: 0, pool: pool)
        let stamp = ProbeStamp(run: 1, publisher: PublisherID(0), sequence: 0, intended: .init(nanoseconds: 1))
        func receive(_ count: Int) {
            for number in 0..<count {
                lane.received(
                    session: 0, .stamped(stamp, intact: true), message: .init(start: nil, count: 0),
                    at: .init(nanoseconds: Int64(number)))
            }
        }
        receive(50_000)
        lane.close()
        let (full, dropped) = pool.state.withLock { ($0.full, $0.dropped[1] ?? 0) }
        #expect(full.count == 2)
        #expect(full.reduce(0) { $0 + UInt64($1.events) } + dropped == 50_000)
        #expect(dropped > 10_000)
    }

    @Test("A lane goes on after a shortage, and the chunk after it tells what is missing")
    func recovers() async throws {
        let fixture = TraceFixture()
        let output = try TraceOutput(path: fixture.path)
        let journal = TraceJournal(file: output, level: 1)
        journal.writeDocument(Array("{}".utf8))
        let pool = TracePool(limit: 1)
        let lane = TraceLane(lane: 1, index: 0, pool: pool)
        for number in 0..<20_000 { lane.connectFailed(client: UInt32(number), instance: 0, at: .init(nanoseconds: 1)) }
        func drain() {
            for buffer in pool.state.withLock({ state in
                defer { state.full = [] }; return state.full
            }) {
                journal.write(buffer)
                pool.giveBack(buffer)
            }
        }
        drain()
        for number in 20_000..<20_200 {
            lane.connectFailed(client: UInt32(number), instance: 0, at: .init(nanoseconds: 1))
        }
        lane.close()
        drain()
        journal.writeEnd(dropped: pool.state.withLock { $0.dropped })
        let outcome = journal.outcome(unclosedLanes: 0)
        #expect(outcome.dropped > 0)
        #expect(outcome.events + outcome.dropped == 20_200)
        #expect(!outcome.isComplete)
        let reading = TraceReading(fixture.bytes)
        #expect(reading.error == nil)
        #expect(UInt64(reading.count) == outcome.events)
        #expect(try TraceFile.read(fixture.path, { _ in }) == outcome.dropped)
    }

    @Test("A lane that nobody closed is in the outcome")
    func unclosed() async throws {
        let fixture = TraceFixture()
        let writer = try fixture.writer()
        let lane = writer.clientLane(index: 0)
        lane.connectFailed(client: 1, instance: 0, at: .init(nanoseconds: 1))
        let outcome = await TraceFixture.finish(writer)
        #expect(outcome.unclosedLanes == 1)
        #expect(!outcome.isComplete)
        lane.close()
    }

    @Test("A chunk that has grown old is handed over, a young one is not")
    func age() {
        let pool = TracePool(limit: 4)
        let lane = TraceLane(lane: 1, index: 0, pool: pool)
        lane.connectFailed(client: 1, instance: 0, at: .init(nanoseconds: 1000))
        lane.handOver(olderThan: .init(nanoseconds: 999))
        #expect(pool.state.withLock { $0.full.count } == 0)
        lane.handOver(olderThan: .init(nanoseconds: 1000))
        #expect(pool.state.withLock { $0.full.count } == 1)
        lane.connectFailed(client: 1, instance: 0, at: .init(nanoseconds: 2000))
        lane.connectFailed(client: 1, instance: 0, at: .init(nanoseconds: 2000 + LaneBuffer.longestAge))
        #expect(pool.state.withLock { $0.full.count } == 2)
    }

    @Test("A full disk ends the file, not the run, and the file is whole as far as it goes")
    func diskFull() async throws {
        // /dev/full takes nothing (full(4)).
        let failure = #expect(throws: TraceWriteError.self) {
            _ = try TraceWriter(path: "/dev/full", document: Array("{}".utf8))
        }
        #expect(failure?.code == .diskFull)
        let journal = TraceJournal(file: try TraceOutput(path: "/dev/full"), level: 1)
        journal.writeDocument(Array("{}".utf8))
        let pool = TracePool(limit: 4)
        let lane = TraceLane(lane: 1, index: 0, pool: pool)
        for _ in 0..<100 { lane.connectFailed(client: 1, instance: 0, at: .init(nanoseconds: 1)) }
        lane.close()
        for buffer in pool.state.withLock({ $0.full }) { journal.write(buffer) }
        journal.writeEnd(dropped: [:])
        let outcome = journal.outcome(unclosedLanes: 0)
        #expect(outcome.failure?.code == .diskFull)
        #expect(outcome.unwritten == 100)
        #expect(outcome.bytes == 0)
    }

    @Test("A place that cannot be written is named")
    func noFolder() {
        let path = "/nonexistent-\(UUID().uuidString)/trace.zst"
        let failure = #expect(throws: TraceWriteError.self) { _ = try TraceWriter(path: path, document: []) }
        #expect(failure?.code == .cannotOpen)
        #expect(failure?.message.contains(path) == true)
        let unreadable = #expect(throws: TraceError.self) { try TraceFile.read(path) { _ in } }
        #expect(unreadable?.code == .unreadable)
    }

    @Test("Many threads share a lane, and nothing is lost")
    func threads() async throws {
        let fixture = TraceFixture()
        let writer = try fixture.writer()
        let lane = writer.publisherLane()
        await withTaskGroup(of: Void.self) { group in
            for publisher in 0..<4 {
                group.addTask {
                    let log = PublishLog(publisher: PublisherID(UInt32(publisher)), instance: 0, trace: lane)
                    for number in 0..<5000 {
                        let at = MonotonicInstant(nanoseconds: Int64(number))
                        let sequence = log.submit(channel: 0, intended: at, sent: at)
                        log.acknowledged(channel: 0, sequence: sequence, at: at)
                    }
                }
            }
        }
        let outcome = await TraceFixture.finish(writer)
        #expect(outcome.isComplete)
        #expect(outcome.events == 40_000)
        let reading = TraceReading(fixture.bytes)
        #expect(reading.error == nil)
        #expect(reading.lanes[1].map { Set($0).count } == 40_000)
    }
}
