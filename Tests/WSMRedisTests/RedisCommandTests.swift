import CHiredis
import NIOCore
import Testing
import WSMCore

@testable import WSMRedis

struct RedisCommandTests {
    private func encoded(_ command: RedisCommand) throws -> String {
        var buffer = ByteBuffer()
        try command.encode(into: &buffer)
        return String(buffer: buffer)
    }

    @Test("Words become bulk strings by their bytes")
    func words() throws {
        #expect(try encoded(RedisCommand("GET", "ä")) == "*2\r\n$3\r\nGET\r\n$2\r\nä\r\n")
        #expect(try encoded(RedisCommand([[UInt8]]([[], [13, 10]]))) == "*2\r\n$0\r\n\r\n$2\r\n\r\n\r\n")
        #expect(
            try encoded(.publish([0x61, 0x20], to: .events)) == "*3\r\n$7\r\nPUBLISH\r\n$6\r\nevents\r\n$2\r\na \r\n")
        #expect(try encoded(RedisCommand([ByteBuffer(string: "PING")])) == "*1\r\n$4\r\nPING\r\n")
    }

    @Test("Any bytes come back as they were")
    func binary() throws {
        var random = CounterRNG(seed: 7, stream: .payload, entity: 0)
        for _ in 0..<200 {
            let words = (0...random.below(6)).map { _ in
                (0..<random.below(50)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            }
            var buffer = ByteBuffer()
            try RedisCommand(words).encode(into: &buffer)
            var replies: [RedisReply] = []
            try RedisReplyDecoder().decode(buffer) { replies.append($0) }
            #expect(replies == [.array(words.map { .string(ByteBuffer(bytes: $0)) })])
        }
    }

    @Test(
        "What publishes is written as hiredis formats it, whatever its length",
        arguments: [0, 1, 9, 10, 127, 1000, 65_536])
    func publishing(length: Int) throws {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for (word, channel) in [(RedisCommand.PublishWord.plain, "events"), (.sharded, "ä"), (.plain, "")] {
            var direct = ByteBuffer()
            try RedisCommand.encodePublish(payload, to: ChannelName(channel), with: word, into: &direct)
            var formatted = ByteBuffer()
            try RedisCommand([Array(word.rawValue.utf8), Array(channel.utf8), payload]).encode(into: &formatted)
            #expect(direct == formatted)
        }
    }

    @Test("A command without words is refused")
    func empty() {
        let error = #expect(throws: RedisError.self) { try encoded(RedisCommand([String]())) }
        #expect(error?.code == .invalidCommand)
    }
}
