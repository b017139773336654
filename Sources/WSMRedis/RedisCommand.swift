import CHiredis
public import NIOCore
public import WSMCore

/// One command: its words, of any bytes.
public struct RedisCommand: Sendable, Hashable {
    /// What Redis takes as one word by default (`proto-max-bulk-len`); a whole command may not be larger here.
    static let maximumBytes = 512 << 20

    /// The words one after the other.
    private var bytes: [UInt8] = []
    /// Where each word ends in `bytes`.
    private var ends: [Int] = []

    /// A command of words in UTF-8.
    public init(_ words: [String]) {
        for word in words { append(word.utf8) }
    }

    /// A command of words in UTF-8.
    public init(_ words: String...) {
        self.init(words)
    }

    /// A command of words of any bytes.
    public init(_ words: [[UInt8]]) {
        for word in words { append(word) }
    }

    /// A command of words of any bytes.
    public init(_ words: [ByteBuffer]) {
        for word in words { append(word.readableBytesView) }
    }

    /// The command that publishes.
    enum PublishWord: String {
        case plain = "PUBLISH"
        /// To the node of a cluster that has the channel's slot.
        case sharded = "SPUBLISH"
    }

    /// `PUBLISH`, whose reply is the number of receivers.
    public static func publish(_ payload: some Collection<UInt8>, to channel: ChannelName) -> RedisCommand {
        var command = RedisCommand(PublishWord.plain.rawValue, channel.name)
        command.append(payload)
        return command
    }

    /// Writes the command that publishes, byte for byte as ``encode(into:)`` does, without a copy of its words: a broadcast
    /// thread sends hundreds of thousands a second.
    static func encodePublish(
        _ payload: [UInt8], to channel: ChannelName, with word: PublishWord, into buffer: inout ByteBuffer
    ) throws(RedisError) {
        try checkLength(payload.count)
        buffer.writeStaticString(word == .plain ? "*3\r\n$7\r\nPUBLISH\r\n" : "*3\r\n$8\r\nSPUBLISH\r\n")
        writeLength(channel.name.utf8.count, into: &buffer)
        buffer.writeString(channel.name)
        buffer.writeStaticString("\r\n")
        writeLength(payload.count, into: &buffer)
        buffer.writeBytes(payload)
        buffer.writeStaticString("\r\n")
    }

    /// The head of a bulk string: `$`, its length in decimal digits, and the end of the line.
    private static func writeLength(_ length: Int, into buffer: inout ByteBuffer) {
        var digits: UInt64 = 0
        var count = 0
        var rest = length
        repeat {
            digits = digits << 8 | UInt64(48 + rest % 10)
            rest /= 10
            count += 1
        } while rest > 0 && count < 8
        if rest > 0 {
            buffer.writeString("$\(length)\r\n")
            return
        }
        buffer.writeInteger(UInt8(ascii: "$"))
        for _ in 0..<count {
            buffer.writeInteger(UInt8(truncatingIfNeeded: digits))
            digits >>= 8
        }
        buffer.writeStaticString("\r\n")
    }

    /// A command on channels, such as `SUBSCRIBE`.
    static func onChannels(_ word: String, _ channels: [ChannelName]) -> RedisCommand {
        var command = RedisCommand(word)
        for channel in channels { command.append(channel.name.utf8) }
        return command
    }

    /// Adds a word.
    public mutating func append(_ word: some Collection<UInt8>) {
        bytes.append(contentsOf: word)
        ends.append(bytes.count)
    }

    /// How many bytes its words have.
    public var wordBytes: Int { bytes.count }

    /// Writes the command as hiredis formats it (RESP2: an array of bulk strings).
    public func encode(into buffer: inout ByteBuffer) throws(RedisError) {
        guard !ends.isEmpty else { throw RedisError(.invalidCommand, "a Redis command needs at least one word") }
        try Self.checkLength(bytes.count)
        let written = withWords { count, words, lengths in
            var formatted: UnsafeMutablePointer<CChar>?
            let length = redisFormatCommandArgv(&formatted, count, words, lengths)
            guard length >= 0, let formatted else { return false }
            buffer.writeBytes(UnsafeRawBufferPointer(start: formatted, count: Int(length)))
            redisFreeCommand(formatted)
            return true
        }
        guard written else { throw RedisError(.invalidCommand, "there is no memory to format the command") }
    }

    private static func checkLength(_ count: Int) throws(RedisError) {
        guard count <= maximumBytes else {
            throw RedisError(
                .invalidCommand, "the command has \(count) bytes; Redis takes at most \(maximumBytes)")
        }
    }

    /// Calls `body` with the words as hiredis takes them; the pointers are valid only inside.
    func withWords<R>(
        _ body: (CInt, UnsafeMutablePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int>?) -> R
    ) -> R {
        bytes.withUnsafeBytes { raw in
            var words: [UnsafePointer<CChar>?] = []
            var lengths: [Int] = []
            var start = 0
            for end in ends {
                words.append(raw.baseAddress.map { ($0 + start).assumingMemoryBound(to: CChar.self) })
                lengths.append(end - start)
                start = end
            }
            return words.withUnsafeMutableBufferPointer { words in
                lengths.withUnsafeBufferPointer { lengths in
                    body(CInt(words.count), words.baseAddress, lengths.baseAddress)
                }
            }
        }
    }
}
