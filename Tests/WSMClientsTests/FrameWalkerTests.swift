import Testing
import WSMCore

@testable import WSMClients

@Suite("Walking a server's frames")
struct FrameWalkerTests {
    /// What the walker says to `reads`, one read after the other.
    private func walk(_ reads: [ArraySlice<UInt8>]) -> [Said] {
        var walker = FrameWalker()
        var said: [Said] = []
        for read in reads {
            read.withUnsafeBytes { bytes in
                walker.walk(bytes) { event in
                    switch event {
                    case .text(let bytes): said.append(.text(Array(bytes)))
                    case .binary(let bytes): said.append(.binary(Array(bytes)))
                    case .ping(let bytes): said.append(.ping(Array(bytes)))
                    case .pong: said.append(.pong)
                    case .close(let code): said.append(.close(code))
                    case .violation(let violation): said.append(.violation(violation.reason))
                    }
                }
            }
        }
        return said
    }

    private func walk(_ bytes: [UInt8]) -> [Said] { walk([bytes[...]]) }

    /// One of each frame, with payload lengths at both sides of each length form, and a message in three fragments with
    /// control frames between them.
    private static let everyFrame: ([UInt8], [Said]) = {
        let body: (Int) -> [UInt8] = { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }
        var bytes: [UInt8] = []
        var said: [Said] = []
        for count in [0, 1, 125, 126, 300] {
            bytes += ServerFrames.frame(1, body(count))
            said.append(.text(body(count)))
        }
        bytes += ServerFrames.frame(2, body(7)) + ServerFrames.frame(9, body(125)) + ServerFrames.frame(9, [])
        said += [.binary(body(7)), .ping(body(125)), .ping([])]
        bytes += ServerFrames.frame(1, body(3), final: false) + ServerFrames.frame(9, [9])
        bytes += ServerFrames.frame(0, body(130), final: false) + ServerFrames.frame(0xA, [1, 2])
        bytes += ServerFrames.frame(0, [], final: false) + ServerFrames.frame(0, body(2))
        said += [.ping([9]), .pong, .text(body(3) + body(130) + body(2))]
        bytes += ServerFrames.frame(2, [], final: false) + ServerFrames.frame(0, [5]) + ServerFrames.close(1001, "bye")
        said += [.binary([5]), .close(1001)]
        return (bytes + ServerFrames.text("after the close"), said)
    }()

    @Test("Every frame is read the same at every split point, in three reads, and byte by byte")
    func everySplit() {
        let (bytes, expected) = FrameWalkerTests.everyFrame
        #expect(walk(bytes) == expected)
        for split in 0...bytes.count {
            #expect(walk([bytes[..<split], bytes[split...]]) == expected, "split at \(split)")
            let second = split + (bytes.count - split) / 3
            #expect(walk([bytes[..<split], bytes[split..<second], bytes[second...]]) == expected, "split at \(split)")
        }
        #expect(walk(bytes.indices.map { bytes[$0...$0] }) == expected)
    }

    @Test(
        "Lengths at the borders of the three length forms are read whole and in pieces",
        arguments: [65_535, 65_536, 200_000])
    func longFrames(count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = ServerFrames.frame(1, payload) + ServerFrames.text("next")
        let expected: [Said] = [.text(payload), .text(Array("next".utf8))]
        #expect(walk(bytes) == expected)
        for split in [1, 2, 3, 4, 9, 10, 11, count, count + 4, count + 5, count + 10] {
            #expect(walk([bytes[..<split], bytes[split...]]) == expected, "split at \(split)")
        }
    }

    @Test(
        "A violation of the protocol is named, and nothing behind it is read",
        arguments: [
            ([0x81, 0x81, 0, 0, 0, 0, 0], "masked server frame"),
            ([0xC1, 0x00], "reserved bits set"),
            ([0xA1, 0x00], "reserved bits set"),
            ([0x91, 0x00], "reserved bits set"),
            ([0x83, 0x00], "undefined opcode 3"),
            ([0x8F, 0x00], "undefined opcode 15"),
            ([0x09, 0x00], "fragmented control frame"),
            ([0x08, 0x00], "fragmented control frame"),
            ([0x89, 126, 0, 126], "control frame longer than 125 bytes"),
            ([0x88, 127], "control frame longer than 125 bytes"),
            ([0x80, 0x00], "continuation without a start"),
            ([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], "64-bit length with its highest bit set"),
            ([0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "message longer than 16 MiB"),
            ([0x81, 127, 0, 0, 0, 0, 1, 0, 0, 1], "message longer than 16 MiB"),
            ([0x81, 126, 0, 125], "length not in its shortest form"),
            ([0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], "length not in its shortest form"),
            ([0x88, 1, 3], "close frame with a body of one byte"),
            ([0x88, 2, 0x03, 0xED], "close frame with a reserved code"),
            ([0x88, 2, 0, 0], "close frame with a reserved code"),
            ([0x88, 2, 0x13, 0x88], "close frame with a reserved code"),
            ([0x01, 1, 65, 0x81, 1, 66], "new message inside a fragmented one"),
        ] as [([UInt8], String)])
    func violations(bytes: [UInt8], reason: String) {
        let stream = ServerFrames.text("ok") + bytes + ServerFrames.text("more")
        let expected: [Said] = [.text(Array("ok".utf8)), .violation(reason)]
        #expect(walk(stream) == expected)
        for split in 0...stream.count {
            #expect(walk([stream[..<split], stream[split...]]) == expected, "split at \(split)")
        }
    }

    @Test("Behind a close frame only another close frame is told of, and nothing is a violation")
    func behindClose() {
        let stream =
            ServerFrames.close(1001, "bye") + ServerFrames.text("more") + ServerFrames.frame(9, [1])
            + ServerFrames.close(1001, "bye") + [0x83, 0x00] + ServerFrames.close(1000, "")
        for split in 0...stream.count {
            #expect(walk([stream[..<split], stream[split...]]) == [.close(1001), .close(1001)], "split at \(split)")
        }
    }

    @Test("A close frame without a body counts as 1005, and the answer to a message too big is 1009")
    func closeCodes() {
        #expect(walk(ServerFrames.frame(8, [])) == [.close(1005)])
        for code in [1000, 1001, 1008, 1011, 1014, 3000, 4999] as [UInt16] {
            #expect(walk(ServerFrames.close(code)) == [.close(code)])
        }
        #expect(FrameViolation.tooBig(limit: 1).closeCode == 1009)
        #expect(FrameViolation.masked.closeCode == 1002)
    }

    @Test("Fragments are bounded together: the one that would exceed the limit is refused by its header")
    func fragmentsAreBounded() {
        let chunk = [UInt8](repeating: 7, count: 8 << 20)
        let fits = ServerFrames.frame(1, chunk, final: false) + ServerFrames.frame(0, chunk)
        #expect(walk(fits) == [.text(chunk + chunk)])
        let halves = ServerFrames.frame(1, chunk, final: false) + ServerFrames.frame(0, chunk, final: false)
        let tooBig = halves + [0x80, 1]
        #expect(walk(tooBig) == [.violation("message longer than 16 MiB")])
    }

    @Test("Random streams of frames, cut at random, are read as they were written", arguments: 1...40)
    func randomStreams(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 1)
        var bytes: [UInt8] = []
        var expected: [Said] = []
        for _ in 0..<30 { addRandomMessage(&random, to: &bytes, &expected) }
        var reads: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + random.below(random.below(4) == 0 ? 4 : 2000))
            reads.append(bytes[start..<end])
            start = end
        }
        #expect(walk(reads) == expected, "seed \(seed)")
    }

    private func addRandomMessage(_ random: inout CounterRNG, to bytes: inout [UInt8], _ expected: inout [Said]) {
        let lengths = [0, 1, 10, 125, 126, 127, 1000, 65_535, 65_536]
        let first = UInt8(random.below(256))
        let payload = (0..<lengths[random.below(lengths.count)]).map { first &+ UInt8(truncatingIfNeeded: $0 &* 7) }
        let isText = random.below(3) > 0
        switch random.below(4) {
        case 0:
            let ping = Array(payload.prefix(125))
            bytes += ServerFrames.frame(9, ping)
            expected.append(.ping(ping))
        case 1:
            let cut = random.below(payload.count + 1)
            bytes += ServerFrames.frame(isText ? 1 : 2, Array(payload[..<cut]), final: false)
            bytes += ServerFrames.frame(0xA, [])
            bytes += ServerFrames.frame(0, Array(payload[cut...]))
            expected += [.pong, isText ? .text(payload) : .binary(payload)]
        default:
            bytes += ServerFrames.frame(isText ? 1 : 2, payload)
            expected.append(isText ? .text(payload) : .binary(payload))
        }
    }

    @Test("Garbage never traps, and means the same in one read as byte by byte", arguments: 1...300)
    func garbage(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 2)
        var bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
        if seed % 2 == 0 {
            // Half of the streams are good frames with a few bytes changed: they get further.
            bytes = Array(FrameWalkerTests.everyFrame.0)
            for _ in 0..<(1 + random.below(4)) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        }
        let whole = walk(bytes)
        #expect(walk(bytes.indices.map { bytes[$0...$0] }) == whole, "seed \(seed)")
        for event in whole.dropLast() {
            if case .violation = event { Issue.record("seed \(seed): something was read behind a violation") }
        }
    }
}
