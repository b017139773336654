import NIOCore
import NIOEmbedded
import Testing

@testable import WSMHarness

@Suite("Messages between a run and its processes")
struct MessageFrameTests {
    static let messages: [[UInt8]] = [[], [1], Array(0..<200), [UInt8](repeating: 9, count: 70_000)]

    @Test("Messages come out whole, wherever the bytes are split")
    func splits() throws {
        var stream = ByteBuffer()
        for message in Self.messages.prefix(3) {
            var frame = MessageFrameDecoder.frame(message)
            stream.writeBuffer(&frame)
        }
        let bytes = Array(stream.readableBytesView)
        for split in 0...bytes.count {
            var found: [[UInt8]] = []
            var buffer = ByteBuffer()
            for part in [bytes[..<split], bytes[split...]] {
                buffer.writeBytes(part)
                while let message = try MessageFrameDecoder.next(&buffer) {
                    found.append(Array(message.readableBytesView))
                }
            }
            #expect(found == Array(Self.messages.prefix(3)), "split at \(split)")
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test("A message that comes byte by byte comes out once")
    func drip() throws {
        var buffer = ByteBuffer()
        var found = 0
        for byte in MessageFrameDecoder.frame(Self.messages[2]).readableBytesView {
            buffer.writeInteger(byte)
            if try MessageFrameDecoder.next(&buffer) != nil { found += 1 }
        }
        #expect(found == 1)
    }

    @Test("A peer that announces more than any message is refused")
    func tooLong() throws {
        var buffer = ByteBuffer(integer: UInt32.max)
        #expect(throws: HarnessError.self) { try MessageFrameDecoder.next(&buffer) }
    }
}
