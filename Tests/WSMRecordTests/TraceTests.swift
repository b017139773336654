import Foundation
import Testing
import WSMCore

@testable import WSMRecord

@Suite("The trace", .timeLimit(.minutes(2)))
struct TraceTests {
    /// A small trace with a few chunks in three lanes, and what it holds.
    private func smallTrace(seed: UInt64 = 1) async throws -> (bytes: [UInt8], whole: TraceReading) {
        let fixture = TraceFixture()
        let writer = try fixture.writer()
        let lane = writer.clientLane(index: 0)
        var draws = TraceDraws(seed: seed)
        draws.record(40, in: lane)
        lane.handOver(olderThan: MonotonicInstant(nanoseconds: .max))
        draws.record(20, in: lane)
        let log = PublishLog(publisher: PublisherID(1), instance: 0, trace: writer.publisherLane())
        _ = log.submit(channel: 0, intended: .init(nanoseconds: 7), sent: .init(nanoseconds: 8))
        lane.close()
        let outcome = await TraceFixture.finish(writer)
        #expect(outcome.isComplete)
        let reading = TraceReading(fixture.bytes)
        #expect(reading.error == nil)
        let isSame = reading.lanes[1] == draws.entries
        #expect(isSame)
        #expect(reading.count == Int(outcome.events))
        return (fixture.bytes, reading)
    }

    @Test("What goes in comes out, in the order of its lane", arguments: UInt64(1)...8)
    func roundTrip(seed: UInt64) async throws {
        let fixture = TraceFixture()
        // Time leaps in this trace, and each leap begins a chunk: more of them than a real run has.
        let writer = try fixture.writer(buffers: 4096)
        let lanes = [writer.clientLane(index: 0), writer.clientLane(index: 1)]
        var draws = [TraceDraws(seed: seed), TraceDraws(seed: seed + 100)]
        for turn in 0..<60 { draws[turn % 2].record(500, in: lanes[turn % 2]) }
        for lane in lanes { lane.close() }
        let outcome = await TraceFixture.finish(writer)
        #expect(outcome.isComplete, "seed \(seed)")
        #expect(outcome.bytes == Int64(fixture.bytes.count))
        let reading = TraceReading(fixture.bytes)
        #expect(reading.error == nil, "seed \(seed)")
        #expect(reading.documents == [#"{"name":"test"}"#, #"{"done":true}"#])
        for index in 0..<2 {
            let isSame = reading.lanes[UInt32(index + 1)] == draws[index].entries
            #expect(isSame, "seed \(seed), lane \(index + 1)")
        }
    }

    @Test("Publishers and instances come back as they were")
    func sharedLanes() async throws {
        func at(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }
        let fixture = TraceFixture()
        let writer = try fixture.writer()
        let log = PublishLog(publisher: PublisherID(3), instance: 1, trace: writer.publisherLane())
        let instance = writer.instanceLane(4)
        #expect(log.submit(channel: 2, intended: at(10), sent: at(11), process: 5, step: 6) == 0)
        log.published(channel: 2, sequence: 0, at: at(14), queued: at(12), dequeued: at(13))
        log.acknowledged(channel: 2, sequence: 0, at: at(15))
        log.failed(channel: 2, sequence: 0, outcome: .maybePublished, at: at(16))
        let key = MessageKey(publisher: 3, channel: 2, sequence: 0)
        let fanOut = FannedOut(key: key, instance: 4, client: 9, deliveredAt: at(20), writtenAt: at(21))
        instance.fannedOut(fanOut)
        for what in InstanceHappening.allCases { instance.happened(what, instance: 4, at: at(30)) }
        instance.happened(.evicted, instance: 4, client: 7, at: at(31))
        _ = await TraceFixture.finish(writer)
        let reading = TraceReading(fixture.bytes)
        #expect(reading.error == nil)
        let submitted = SubmittedMessage(key: key, intended: at(10), sent: at(11), process: 5, step: 6)
        #expect(
            reading.lanes[1] == [
                .other(.submitted(submitted)), .other(.published(key, at: at(14), queued: at(12), dequeued: at(13))),
                .other(.acknowledged(key, at: at(15))), .other(.failed(key, outcome: .maybePublished, at: at(16))),
            ])
        let happenings = InstanceHappening.allCases.map {
            TraceReading.Entry.other(.happened($0, instance: 4, client: nil, at: at(30)))
        }
        #expect(
            reading.lanes[2] == [.other(.fannedOut(fanOut))] + happenings
                + [.other(.happened(.evicted, instance: 4, client: 7, at: at(31)))])
    }

    @Test("A closed log takes nothing more, and neither does its trace")
    func closedLog() async throws {
        let fixture = TraceFixture()
        let writer = try fixture.writer()
        let log = PublishLog(publisher: PublisherID(0), instance: 0, trace: writer.publisherLane())
        _ = log.submit(channel: 0, intended: .init(nanoseconds: 1), sent: .init(nanoseconds: 1))
        log.close()
        #expect(log.submit(channel: 0, intended: .init(nanoseconds: 2), sent: .init(nanoseconds: 2)) == 1)
        log.acknowledged(channel: 0, sequence: 1, at: .init(nanoseconds: 3))
        _ = await TraceFixture.finish(writer)
        #expect(log.snapshot().history(of: 0)?.count == 1)
        #expect(TraceReading(fixture.bytes).lanes[1]?.count == 1)
    }

    @Test("The pieces that the bytes come in make no difference", arguments: [1, 2, 7, 23, 24, 25, 100, 1000])
    func pieces(piece: Int) async throws {
        let (bytes, whole) = try await smallTrace()
        let reading = TraceReading(bytes, piece: piece)
        #expect(reading.error == nil)
        #expect(reading.lanes == whole.lanes)
        #expect(reading.documents == whole.documents)
    }

    @Test("Cut anywhere, it says so and shows what came before")
    func cut() async throws {
        let (bytes, whole) = try await smallTrace()
        for length in 0..<bytes.count {
            let reading = TraceReading(Array(bytes.prefix(length)))
            let error = try #require(reading.error, "cut to \(length) bytes")
            #expect([.cut, .empty].contains(error.code), "cut to \(length) bytes: \(error)")
            #expect(error.offset <= length)
            for (lane, entries) in reading.lanes {
                #expect(whole.lanes[lane]?.starts(with: entries) == true, "cut to \(length) bytes")
            }
        }
    }

    @Test("One flipped bit anywhere is found")
    func flipped() async throws {
        let (bytes, _) = try await smallTrace()
        var damaged = bytes
        for index in bytes.indices {
            for bit in 0..<8 {
                damaged[index] ^= 1 << bit
                #expect(TraceReading(damaged).error != nil, "byte \(index), bit \(bit)")
                damaged[index] ^= 1 << bit
            }
        }
    }

    @Test("Chunks that are missing, twice there or exchanged are found, and so is what follows the end")
    func order() async throws {
        let (bytes, _) = try await smallTrace()
        let chunks = TraceTests.chunks(bytes)
        #expect(chunks.count >= 5)
        for index in chunks.indices {
            let missing = chunks[..<index] + chunks[(index + 1)...]
            let missingError = TraceReading(Array(missing.joined())).error
            #expect(missingError?.code == (index == chunks.count - 1 ? .cut : .outOfOrder), "without chunk \(index)")
            let twice = chunks[...index] + chunks[index...]
            #expect(TraceReading(Array(twice.joined())).error != nil, "chunk \(index) twice")
        }
        #expect(TraceReading(bytes + [0]).error?.code == .trailingBytes)
        #expect(TraceReading(bytes + bytes).error?.code == .trailingBytes)
    }

    @Test("A chunk that is sealed anew in the place of another is missed in its lane, and in the totals")
    func resealed() async throws {
        let (bytes, _) = try await smallTrace()
        let contents = try TraceTests.contents(bytes)
        for left in 1..<(contents.count - 1) {
            let rest = Array(contents[..<left] + contents[(left + 1)...])
            #expect(TraceReading(TraceTests.sealed(rest)).error?.code == .outOfOrder, "without chunk \(left)")
        }
    }

    @Test("Another version is named")
    func version() async throws {
        let (bytes, _) = try await smallTrace()
        var contents = try TraceTests.contents(bytes)
        contents[1][4] = 2
        let error = try #require(TraceReading(TraceTests.sealed(contents)).error)
        #expect(error.code == .unknownVersion)
        #expect(error.what.contains("version is 2"))
    }

    @Test("Whatever a sealed chunk holds, it is read or refused", arguments: UInt64(1)...3)
    func forged(seed: UInt64) async throws {
        let (bytes, _) = try await smallTrace(seed: seed)
        let contents = try TraceTests.contents(bytes)
        var random = CounterRNG(seed: seed, stream: .payload, entity: 5)
        var refused = 0
        for round in 0..<2000 {
            var forged = contents
            let chunk = 1 + random.below(contents.count - 1)
            for _ in 0...random.below(3) {
                forged[chunk][random.below(forged[chunk].count)] = UInt8(random.below(256))
            }
            let reading = TraceReading(TraceTests.sealed(forged))
            if reading.error != nil { refused += 1 }
            #expect(reading.error?.code != .damaged, "seed \(seed), round \(round)")
        }
        #expect(refused > 500, "seed \(seed)")
    }

    @Test("Garbage, an empty file and another zstd file are no traces", arguments: [0, 1, 3, 30, 5000])
    func garbage(length: Int) throws {
        let reading = TraceReading([UInt8](repeating: 0x47, count: length))
        #expect(reading.error?.code == (length == 0 ? .empty : .notATrace))
        let frames = TraceFrames()
        let other = Array("just text".utf8).withUnsafeBytes { Array(frames.chunk($0, number: 0)) }
        #expect(TraceReading(other).error?.code != nil)
        #expect(TraceReading(Array(other.dropFirst(TraceFormat.sealLength))).error?.code == .notATrace)
    }

    /// The chunks of a good trace, each with its seal.
    static func chunks(_ bytes: [UInt8]) -> [[UInt8]] {
        var chunks: [[UInt8]] = []
        var at = 0
        while at < bytes.count {
            let length = bytes[(at + 8)..<(at + 12)].reversed().reduce(0) { $0 << 8 | Int($1) }
            chunks.append(Array(bytes[at..<(at + TraceFormat.sealLength + length)]))
            at += TraceFormat.sealLength + length
        }
        return chunks
    }

    /// What the chunks of a good trace hold.
    static func contents(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var decoder = TraceDecoder()
        bytes.withUnsafeBytes { decoder.feed($0) }
        var contents: [[UInt8]] = []
        while let chunk = try decoder.next() { contents.append(chunk.content) }
        return contents
    }

    /// A file of these chunks, with seals that fit.
    static func sealed(_ contents: [[UInt8]]) -> [UInt8] {
        let frames = TraceFrames()
        return contents.enumerated().flatMap { number, content in
            content.withUnsafeBytes { Array(frames.chunk($0, number: UInt32(number))) }
        }
    }
}
