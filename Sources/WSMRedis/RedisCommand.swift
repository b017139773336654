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
        publish(payload, to: channel, with: .plain)
    }

    static func publish(
        _ payload: some Collection<UInt8>, to channel: ChannelName, with word: PublishWord
    ) -> RedisCommand {
        var command = RedisCommand(word.rawValue, channel.name)
        command.append(payload)
        return command
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
        guard bytes.count <= Self.maximumBytes else {
            throw RedisError(
                .invalidCommand, "the command has \(bytes.count) bytes; Redis takes at most \(Self.maximumBytes)")
        }
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
