import Testing
import WSMCore

@testable import WSMInstance

@Suite("Reading a client's frames")
struct ClientFrameReaderTests {
    private typealias Event = ClientFrameReader.Event

    private static let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// A frame as a client sends it: RFC 6455, section 5.2.
    private static func frame(
        _ opcode: UInt8, _ payload: [UInt8], final: Bool = true, masked: Bool = true, reserved: UInt8 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = [(final ? 0x80 : 0) | reserved | opcode]
        let masks: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(masks | UInt8(payload.count))
        case ..<65_536: bytes += [masks | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(masks | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(payload.count >> shift & 0xFF)) }
        }
        guard masked else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    private static func text(_ text: String, final: Bool = true) -> [UInt8] { frame(1, Array(text.utf8), final: final) }

    private func read(_ reads: [ArraySlice<UInt8>]) -> [Event] {
        var reader = ClientFrameReader()
        var events: [Event] = []
        for part in reads { part.withUnsafeBytes { reader.read($0) { events.append($0) } } }
        return events
    }

    private func read(_ bytes: [UInt8]) -> [Event] { read([bytes[...]]) }

    /// One of each, with payloads at both sides of each form of the length, and messages in fragments with control frames
    /// between them.
    private static let everyFrame: ([UInt8], [Event]) = {
        var bytes = text("__ping__") + text("") + text("__ping_") + text("__ping__!") + text("__pong__")
        var events: [Event] = [true, false, false, false, false].map { .text(isPing: $0) }
        for count in [125, 126, 300] {
            bytes += frame(1, Array(repeating: 0x5F, count: count))
            events.append(.text(isPing: false))
        }
        bytes += frame(2, Array("__ping__".utf8)) + frame(9, [1, 2, 3]) + frame(9, []) + frame(0xA, [4])
        events += [.binary, .ping([1, 2, 3]), .ping([]), .pong]
        bytes += text("__pi", final: false) + frame(9, [7]) + frame(0, [], final: false) + frame(0, Array("ng__".utf8))
        events += [.ping([7]), .text(isPing: true)]
        bytes +=
            frame(2, [], final: false) + frame(0, Array("__ping__".utf8)) + frame(8, [0x03, 0xE9] + Array("bye".utf8))
        return (bytes + frame(8, []), events + [.binary, .close(code: 1001), .close(code: nil)])
    }()

    @Test("Every frame is read the same at every split point, in three reads, and byte by byte")
    func everySplit() {
        let (bytes, expected) = Self.everyFrame
        #expect(read(bytes) == expected)
        for split in 0...bytes.count {
            #expect(read([bytes[..<split], bytes[split...]]) == expected, "split at \(split)")
            let second = split + (bytes.count - split) / 3
            #expect(read([bytes[..<split], bytes[split..<second], bytes[second...]]) == expected, "split at \(split)")
        }
        #expect(read(bytes.indices.map { bytes[$0...$0] }) == expected)
    }

    @Test(
        "A violation of the protocol is named at every split point, and nothing behind it is read",
        arguments: [
            (frame(1, [1], masked: false), .unmasked), (frame(1, [1], reserved: 0x40), .reservedBits),
            (frame(3, [1]), .opcode(3)), (frame(9, [1], final: false), .fragmentedControl),
            (frame(9, Array(repeating: 0, count: 126)), .longControl), (frame(0, [1]), .continuationWithoutStart),
            (text("a", final: false) + text("b"), .messageInsideMessage), (frame(8, [3]), .closeBodyOfOneByte),
            (frame(8, [0x03, 0xED]), .closeCode(1005)), (frame(8, [0, 0]), .closeCode(0)),
            ([0x81, 0xFE, 0, 5] + mask, .lengthNotMinimal),
            ([0x81, 0xFF] + Array(repeating: 0xFF, count: 8), .invalidLength),
            ([0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1] + mask, .tooBig(limit: ClientFrameReader.frameLimit)),
            ([0x81, 0xFF, 0x7F] + Array(repeating: 0xFF, count: 7), .tooBig(limit: ClientFrameReader.frameLimit)),
        ] as [([UInt8], FrameViolation)])
    func violations(bytes: [UInt8], violation: FrameViolation) {
        let stream = Self.text("__ping__") + bytes + Self.text("never read")
        for split in 0...stream.count {
            let events = read([stream[..<split], stream[split...]])
            #expect(events == [.text(isPing: true), .violation(violation)], "split at \(split)")
        }
    }

    @Test(
        "The fragments of a message are bounded together: the one that would exceed the limit is refused by its header")
    func fragments() {
        let part = Array(repeating: UInt8(0), count: ClientFrameReader.frameLimit)
        let count = ClientFrameReader.messageLimit / ClientFrameReader.frameLimit
        var bytes = Self.frame(1, part, final: false)
        for _ in 1..<count { bytes += Self.frame(0, part, final: false) }
        #expect(read(bytes + Self.frame(0, [])) == [.text(isPing: false)])
        #expect(read(bytes + Self.frame(0, [1])) == [.violation(.tooBig(limit: ClientFrameReader.messageLimit))])
    }

    @Test("Noise never traps, whatever reads it comes in", arguments: 0..<200 as Range<UInt64>)
    func noise(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .clientFrames, entity: 0)
        var bytes = (0..<400).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        // Half of them begin as a lawful frame does.
        if seed.isMultiple(of: 2) { bytes = Self.text("__ping__") + bytes }
        let whole = read(bytes)
        let cut = Int(random.next() % UInt64(bytes.count))
        #expect(read([bytes[..<cut], bytes[cut...]]) == whole, "seed \(seed), split at \(cut)")
        #expect(!seed.isMultiple(of: 2) || whole.first == .text(isPing: true), "seed \(seed)")
    }
}
