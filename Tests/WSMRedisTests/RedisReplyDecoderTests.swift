import NIOCore
import Testing

@testable import WSMRedis

struct RedisReplyDecoderTests {
    private static let stream =
        "+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"
        + "*3\r\n$7\r\nmessage\r\n$6\r\nevents\r\n$4\r\nbody\r\n"
        + "*2\r\n*2\r\n:1\r\n$-1\r\n*1\r\n*1\r\n-inner\r\n"

    private static let replies: [RedisReply] = [
        .status("OK"), .error("ERR no"), .integer(-42), .string(ByteBuffer(string: "a\r\nbc")),
        .string(ByteBuffer()), .null, .null, .array([]),
        .array(["message", "events", "body"].map { .string(ByteBuffer(string: $0)) }),
        .array([.array([.integer(1), .null]), .array([.array([.error("inner")])])]),
    ]

    private func decode(_ chunks: [[UInt8]], limits: RedisReplyDecoder.Limits = .init()) throws -> [RedisReply] {
        let decoder = RedisReplyDecoder(limits: limits)
        var replies: [RedisReply] = []
        for chunk in chunks { try decoder.decode(ByteBuffer(bytes: chunk)) { replies.append($0) } }
        return replies
    }

    private func failure(_ text: String, limits: RedisReplyDecoder.Limits = .init()) throws -> RedisError {
        let error = try #require(throws: RedisError.self) { try decode([Array(text.utf8)], limits: limits) }
        #expect(error.code == .protocolViolation)
        return error
    }

    @Test("Every type of reply is read, whole")
    func whole() throws {
        #expect(try decode([Array(Self.stream.utf8)]) == Self.replies)
    }

    @Test("Cut in two at every place the stream gives the same replies")
    func everySplit() throws {
        let bytes = Array(Self.stream.utf8)
        for cut in 0...bytes.count {
            #expect(try decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.replies, "cut at \(cut)")
        }
    }

    @Test("Byte by byte the stream gives the same replies")
    func dripFed() throws {
        #expect(try decode(Self.stream.utf8.map { [$0] }) == Self.replies)
    }

    @Test(
        "A stream far larger than one feed gives the same replies, in chunks of any size",
        arguments: [1000, 16_384, 70_001])
    func long(_ chunkSize: Int) throws {
        var bytes: [UInt8] = []
        for _ in 0..<3000 { bytes += Array(Self.stream.utf8) }
        let chunks = stride(from: 0, to: bytes.count, by: chunkSize).map {
            Array(bytes[$0..<min($0 + chunkSize, bytes.count)])
        }
        let replies = try decode(chunks)
        #expect(replies.count == 3000 * Self.replies.count)
        for start in stride(from: 0, to: replies.count, by: Self.replies.count) {
            guard Array(replies[start..<(start + Self.replies.count)]) == Self.replies else {
                Issue.record("the replies from \(start) differ")
                return
            }
        }
    }

    @Test("Payloads are slices of the buffer that was read, also when it does not begin at its first byte")
    func slices() throws {
        var buffer = ByteBuffer(string: "skipped$4\r\nbody\r\n$3\r\nend\r\n")
        buffer.moveReaderIndex(forwardBy: 7)
        var payloads: [ByteBuffer] = []
        try RedisReplyDecoder().decode(buffer) { if case .string(let payload) = $0 { payloads.append(payload) } }
        #expect(payloads.map { String(buffer: $0) } == ["body", "end"])
        // A slice of shared storage is as large as what it shows; the same bytes stand behind both.
        let addresses = (payloads + [buffer]).map { buffer in
            buffer.withVeryUnsafeBytes { Int(bitPattern: $0.baseAddress) }
        }
        #expect(addresses[0] == addresses[2] + 7 + 4)
    }

    @Test("Arrays may nest 7 deep; 8 is an error and not a trap")
    func depth() throws {
        let seven = String(repeating: "*1\r\n", count: 7) + ":1\r\n"
        var expected = RedisReply.integer(1)
        for _ in 0..<7 { expected = .array([expected]) }
        #expect(try decode([Array(seven.utf8)]) == [expected])
        for depth in 8...100 {
            let error = try failure(String(repeating: "*1\r\n", count: depth) + ":1\r\n")
            #expect(error.message.contains("deeper"))
        }
    }

    @Test(
        "Garbage is an error",
        arguments: [
            "hello\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "$abc\r\n", "$-2\r\n", "*-2\r\n", "*x\r\n",
            ":\r\n",
            ":12a\r\n", ":99999999999999999999\r\n", "$99999999999999999999\r\n", "*99999999999\r\n",
            ">2\r\n+a\r\n+b\r\n",
            "*2\r\n+a\r\n!x\r\n", "\0\0\0\0",
        ])
    func garbage(_ text: String) throws {
        _ = try failure(text)
    }

    @Test("After an error the decoder stays dead and says the same")
    func dead() throws {
        let decoder = RedisReplyDecoder()
        let first = #expect(throws: RedisError.self) { try decoder.decode(ByteBuffer(string: "?\r\n")) { _ in } }
        let second = #expect(throws: RedisError.self) { try decoder.decode(ByteBuffer(string: "+OK\r\n")) { _ in } }
        #expect(first == second)
    }

    @Test("Replies before the garbage of the same read are handed over")
    func repliesBeforeGarbage() throws {
        let decoder = RedisReplyDecoder()
        var replies: [RedisReply] = []
        #expect(throws: RedisError.self) {
            try decoder.decode(ByteBuffer(string: "+one\r\n:2\r\n?")) { replies.append($0) }
        }
        #expect(replies == [.status("one"), .integer(2)])
    }

    @Test("A reply beyond the limits is refused as soon as it shows")
    func limits() throws {
        let limits = RedisReplyDecoder.Limits(replyBytes: 1000, values: 10)
        #expect(try failure("$1001\r\n", limits: limits).message.contains("1000 bytes"))
        #expect(try failure("$9223372036854775807\r\n", limits: limits).message.contains("1000 bytes"))
        #expect(try failure("*10\r\n", limits: limits).message.contains("10"))
        #expect(try failure("*2147483647\r\n").message.contains("values"))
        let nested = "*3\r\n" + String(repeating: "*3\r\n:1\r\n:2\r\n:3\r\n", count: 3)
        #expect(try failure(nested, limits: limits).message.contains("values"))
        let parts = "*9\r\n" + String(repeating: "$300\r\n\(String(repeating: "x", count: 300))\r\n", count: 5)
        #expect(throws: RedisError.self) { try decode(parts.utf8.map { [$0] }, limits: limits) }
        let fits = "*9\r\n" + String(repeating: "$50\r\n\(String(repeating: "x", count: 50))\r\n", count: 9)
        #expect(try decode([Array((fits + fits).utf8)], limits: limits).count == 2)
    }

    @Test("A line without an end is refused", arguments: ["+", "-", ":", "$", "*"])
    func endlessLine(_ type: String) throws {
        let line = type + String(repeating: "1", count: 70_000)
        let error = #expect(throws: RedisError.self) { try decode([Array(line.utf8)]) }
        #expect(error?.code == .protocolViolation)
        let broken = "+" + String(repeating: "\r", count: 70_000)
        #expect(throws: RedisError.self) { try decode([Array(broken.utf8)]) }
    }

    @Test("A large payload arrives whole")
    func largePayload() throws {
        let payload = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) })
        let bytes = Array("$\(payload.count)\r\n".utf8) + payload + Array("\r\n+next\r\n".utf8)
        for size in [100_000, 4_000_000] {
            let chunks = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            let replies = try decode(chunks)
            #expect(replies == [.string(ByteBuffer(bytes: payload)), .status("next")])
        }
    }
}
