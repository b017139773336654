import Foundation
import Testing
import WSMCore
import WSMInstance
import WSMManagers
import WSMScenario

@testable import WSMHarness

@Suite("The journal of an instance's process")
struct JournalTests {
    /// A file for one test.
    final class File {
        let path = NSTemporaryDirectory() + "wsmlab-journal-\(UUID().uuidString)"
        deinit { unlink(path) }
    }

    static func instant(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    static let stamp: ProbeStamp = {
        var stamp = ProbeStamp(
            run: 7, channel: 1, publisher: PublisherID(9), sequence: 1 << 40, process: 3, step: 2, intended: instant(11)
        )
        stamp.sent = instant(12)
        stamp.queued = instant(13)
        stamp.dequeued = instant(14)
        stamp.published = instant(15)
        return stamp
    }()

    /// One of each kind, with and without what is optional.
    static let events: [ProbeEvent] = {
        func submission(_ source: Submission.Source, intended: MonotonicInstant?, process: UInt32?) -> ProbeEvent {
            .submitted(
                ProbeSubmission(
                    source: source, channel: 2, intended: intended, sent: instant(5), process: process, step: 4),
                sequence: 6)
        }
        let key = ProbeKey(publisher: 4, channel: 0, sequence: 77)
        let ends: [PublishEnd] = [.acknowledged, .maybePublished, .failed, .queueDropped, .threadDead]
        let traces: [ManagerTrace] = [
            .poolExhausted(ClientID(1)), .fanOutAborted(BroadcastID(2), at: ClientID(3), missed: 4),
            .fanOutStalled(BroadcastID(5), at: ClientID(6)), .brokerLost(SubscriptionID(7), of: nil),
            .brokerLost(SubscriptionID(7), of: ClientID(0)),
            .resubscribed(SubscriptionID(8), of: ClientID(9), attempts: 10), .gaveUp(SubscriptionID(11), of: nil),
            .skippedAtShutdown(12),
        ]
        return [
            submission(.broadcastThread, intended: instant(1), process: 8),
            submission(.api, intended: nil, process: nil), submission(.worker(4), intended: nil, process: 0),
            submission(.load(300), intended: instant(-1), process: nil), .fenceSubmitted(at: instant(3), sequence: 0),
            .published(stamp), .fannedOut(stamp, client: nil, deliveredAt: instant(16), writtenAt: instant(17)),
            .fannedOut(stamp, client: 5, deliveredAt: instant(16), writtenAt: instant(17)),
            .connected(ClientID(1), number: 2), .disconnected(ClientID(1), at: instant(18)), .fanOutAborted(key),
            .leftOut(
                ProbeOmission(client: 1, count: 2, from: instant(19), until: instant(20), isFirst: true)),
            .evicted(client: 3, at: instant(21)), .broadcastThreadEnded(.died, at: instant(22)),
            .broadcastThreadEnded(.stopped(left: 5), at: instant(23)), .slipped(.microseconds(9)),
            .loadUsed(.milliseconds(12)), .refused(.resume),
        ] + ends.map { .ended(key, $0, at: instant(24)) } + traces.map { .traced($0, at: instant(25)) }
    }()

    static func read(_ reader: JournalReader) throws -> [ProbeEvent] {
        var events: [ProbeEvent] = []
        try reader.readNew {
            events.append($0)
            return true
        }
        return events
    }

    @Test("Each kind of event reads as it was written")
    func roundTrip() throws {
        let file = File()
        let reader = try JournalReader(making: file.path)
        let writer = try JournalWriter(path: file.path)
        reader.unlink()
        for event in Self.events { writer.append(event) }
        #expect(try Self.read(reader) == Self.events)
        #expect(try Self.read(reader).isEmpty)
        writer.append(.slipped(.zero))
        #expect(try Self.read(reader) == [.slipped(.zero)])
        #expect(reader.lost == 0)
    }

    @Test("Nothing is lost between two windows of the file, and the reading may stop anywhere")
    func manyWindows() throws {
        let file = File()
        let reader = try JournalReader(making: file.path)
        let writer = try JournalWriter(path: file.path)
        // Some 2.5 windows of 1 MiB.
        let count = 40_000
        for number in 0..<count {
            writer.append(.fannedOut(Self.stamp, client: UInt32(number), deliveredAt: .now(), writtenAt: .now()))
        }
        var seen: UInt32 = 0
        var stops = 0
        while true {
            let isRead = try reader.readNew { event in
                guard case .fannedOut(_, let client?, _, _) = event, client == seen else {
                    Issue.record("\(event) in place of \(seen)")
                    return false
                }
                seen += 1
                return seen % 777 != 0
            }
            if isRead { break }
            stops += 1
            try #require(stops < count)
        }
        #expect(seen == UInt32(count))
        #expect(stops == count / 777)
    }

    @Test("A record that is cut, too long or of no kind is an error, never a trap")
    func damage() throws {
        for event in Self.events {
            var bytes = [UInt8](repeating: 0, count: ProbeRecord.longest)
            let length = bytes.withUnsafeMutableBytes { room -> Int in
                guard let base = room.baseAddress else { return 0 }
                var writer = RecordWriter(base, limit: room.count)
                ProbeRecord.write(event, to: &writer)
                return writer.length
            }
            for cut in 0..<length {
                bytes.withUnsafeBytes { room in
                    var reader = RecordReader(UnsafeRawBufferPointer(rebasing: room.prefix(cut)))
                    #expect(throws: JournalError.self) { try ProbeRecord.read(&reader) }
                }
            }
        }
        for kind in [0, 15, 255] as [UInt8] {
            [kind, 0, 0, 0].withUnsafeBytes { room in
                var reader = RecordReader(room)
                #expect(throws: JournalError.self) { try ProbeRecord.read(&reader) }
            }
        }
    }

    @Test("Random bytes are an error or an event, never a trap", arguments: 0..<20 as Range<UInt64>)
    func noise(seed: UInt64) throws {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 1)
        for _ in 0..<500 {
            let bytes = (0..<ProbeRecord.longest).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            bytes.withUnsafeBytes { room in
                var reader = RecordReader(room)
                _ = try? ProbeRecord.read(&reader)
            }
        }
    }

    @Test("A new life goes on with the numbers of the one before")
    func submittedCounts() throws {
        let plan = try LoadPlan(#require(ProcessRunTests.scenario("cluster: {instances: 2}")))
        let numbers = PublisherNumbers(plan: plan, instances: 2, workers: 5)
        let file = File()
        let reader = try JournalReader(making: file.path)
        let first = JournalProbe(run: 1, instance: 1, numbers: numbers, journal: try JournalWriter(path: file.path))
        let submission = Submission(source: .api, channel: .events, intended: nil, sent: .now())
        for expected in 0..<3 as Range<UInt64> { #expect(first.submitted(submission)?.sequence == expected) }
        #expect(first.submittedFence(now: .now())?.sequence == 0)
        let counts = try reader.submittedCounts(numbers, instance: 1)
        let other = File()
        let second = JournalProbe(
            run: 1, instance: 1, numbers: numbers,
            journal: try {
                _ = try JournalReader(making: other.path)
                return try JournalWriter(path: other.path)
            }(), submitted: counts)
        #expect(second.submitted(submission)?.sequence == 3)
        #expect(second.submittedFence(now: .now())?.sequence == 1)
        #expect(try Self.read(reader).count == 4)
    }
}
