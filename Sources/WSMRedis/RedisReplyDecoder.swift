import CHiredis
public import NIOCore

/// Turns received bytes into replies, with hiredis' reply reader.
///
/// RESP2 only, arrays at most 7 deep whatever hiredis takes (0.14 one more, 1.x any number). Belongs to whoever reads the connection, one thread or event loop at
/// a time. After an error it stays dead, as hiredis' reader does: close the connection and make a new decoder.
public final class RedisReplyDecoder {
    /// How much a peer may make us hold.
    public struct Limits: Sendable, Hashable {
        /// Bytes of one reply, which also bounds what is buffered while it is incomplete.
        public var replyBytes: Int
        /// Values in one reply, those in nested arrays counted.
        public var values: Int

        public init(replyBytes: Int = 64 << 20, values: Int = 1 << 20) {
            self.replyBytes = replyBytes
            self.values = values
        }
    }

    /// How deep arrays may nest.
    static let maximumDepth = 7
    /// hiredis moves the rest of its buffer to the front after each kilobyte that it has read: small feeds keep that cheap.
    private static let feedBytes = 16 << 10
    /// Longest line: a status, an error, a number, a length.
    private static let lineBytes = 64 << 10
    private static let keptBytes = 64 << 10

    private let assembly: ReplyAssembly
    private let sink: UnsafeMutablePointer<wsmReplySink>
    private let reader: UnsafeMutablePointer<redisReader>?
    private let limits: Limits
    private var bytesSinceReply = 0
    private var failure: RedisError?

    public init(limits: Limits = Limits()) {
        self.limits = limits
        assembly = ReplyAssembly(maximumValues: limits.values)
        sink = .allocate(capacity: 1)
        sink.initialize(to: ReplyAssembly.sink(context: Unmanaged.passUnretained(assembly).toOpaque()))
        reader = wsmReaderCreate(sink, Self.keptBytes)
        assembly.reader = reader
    }

    deinit {
        if let reader { redisReaderFree(reader) }
        sink.deinitialize(count: 1)
        sink.deallocate()
    }

    /// Decodes all of `buffer` and hands over every reply that it completes, in order.
    public func decode(_ buffer: ByteBuffer, _ receive: (RedisReply) -> Void) throws(RedisError) {
        try decodeParts(buffer) { receive(RedisReply(parts: $0)) }
    }

    /// Decodes all of `buffer` and hands over the parts of every reply that it completes, in order.
    func decodeParts(_ buffer: ByteBuffer, _ receive: ([RedisReplyPart]) -> Void) throws(RedisError) {
        if let failure { throw failure }
        guard let reader else { throw fail("there is no memory for a reply reader") }
        assembly.begin(buffer)
        defer { assembly.end() }
        var offset = 0
        while offset < buffer.readableBytes {
            let count = min(Self.feedBytes, buffer.readableBytes - offset)
            try feed(buffer, at: offset, count: count, to: reader)
            offset += count
            while try nextReply(reader) {
                bytesSinceReply = reader.pointee.len - reader.pointee.pos
                receive(assembly.parts)
                assembly.parts.removeAll(keepingCapacity: true)
            }
        }
    }

    private func feed(
        _ buffer: ByteBuffer, at offset: Int, count: Int, to reader: UnsafeMutablePointer<redisReader>
    ) throws(RedisError) {
        assembly.fedEnd = buffer.readerIndex + offset + count
        bytesSinceReply += count
        let result = buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return REDIS_OK }
            return redisReaderFeed(reader, base.advanced(by: offset).assumingMemoryBound(to: CChar.self), count)
        }
        guard result == REDIS_OK else { throw fail(String(cString: wsmReaderError(reader))) }
    }

    /// Whether a reply now stands in the assembly; checks the limits when there is none yet.
    private func nextReply(_ reader: UnsafeMutablePointer<redisReader>) throws(RedisError) -> Bool {
        let result = wsmReaderNext(reader)
        guard result >= 0 else { throw fail(assembly.refusal ?? String(cString: wsmReaderError(reader))) }
        if result == 1 { return true }
        let announced = wsmReaderAnnouncedLength(reader)
        if bytesSinceReply > limits.replyBytes || announced > Int64(limits.replyBytes) {
            throw fail("a reply is larger than the limit of \(limits.replyBytes) bytes")
        }
        if wsmReaderLineExceeds(reader, Self.lineBytes) != 0 {
            throw fail("a line is longer than the limit of \(Self.lineBytes) bytes")
        }
        return false
    }

    private func fail(_ reason: String) -> RedisError {
        let error = RedisError(.protocolViolation, "the server's reply is not valid RESP2: \(reason)")
        failure = error
        return error
    }
}

/// Collects the parts of one reply from hiredis' callbacks.
private final class ReplyAssembly {
    var parts: [RedisReplyPart] = []
    /// For each array that is not complete, outermost first, how many elements it still lacks.
    private var open: [Int] = []
    /// Why a callback refused a part.
    var refusal: String?
    /// The index in `buffer` up to which it has been fed.
    var fedEnd = 0
    var reader: UnsafeMutablePointer<redisReader>?

    private var buffer = ByteBuffer()
    private let maximumValues: Int

    init(maximumValues: Int) {
        self.maximumValues = maximumValues
    }

    func begin(_ buffer: ByteBuffer) {
        self.buffer = buffer
        fedEnd = buffer.readerIndex
    }

    /// Lets go of the receive buffer, so that the channel can use it again.
    func end() {
        buffer = ByteBuffer()
        fedEnd = 0
    }

    static func sink(context: UnsafeMutableRawPointer) -> wsmReplySink {
        wsmReplySink(
            context: context,
            string: { context, type, bytes, length in
                ReplyAssembly.at(context)?.addString(type: type, bytes: bytes, length: length) ?? 1
            },
            array: { context, count in ReplyAssembly.at(context)?.addArray(count) ?? 1 },
            integer: { context, value in ReplyAssembly.at(context)?.add(.integer(value)) ?? 1 },
            nil: { context in ReplyAssembly.at(context)?.add(.null) ?? 1 })
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> ReplyAssembly? {
        context.map { Unmanaged<ReplyAssembly>.fromOpaque($0).takeUnretainedValue() }
    }

    private func addString(type: CInt, bytes: UnsafePointer<CChar>?, length: Int) -> CInt {
        let text = slice(bytes, length)
        switch type {
        case REDIS_REPLY_STATUS: return add(.status(text))
        case REDIS_REPLY_ERROR: return add(.error(text))
        default: return add(.string(text))
        }
    }

    /// An array says how many values follow, so one that is too large is refused before they come.
    private func addArray(_ count: Int64) -> CInt {
        guard count < Int64(maximumValues - parts.count) else { return refuseMore() }
        guard count > 0 else { return add(.array(count: 0)) }
        guard open.count < RedisReplyDecoder.maximumDepth else {
            refusal = "arrays nest deeper than \(RedisReplyDecoder.maximumDepth)"
            return 1
        }
        parts.append(.array(count: Int(count)))
        open.append(Int(count))
        return 0
    }

    private func add(_ part: RedisReplyPart) -> CInt {
        guard parts.count < maximumValues else { return refuseMore() }
        parts.append(part)
        // The last element of an array also ends the array, which is an element itself.
        while let left = open.popLast() {
            if left > 1 {
                open.append(left - 1)
                break
            }
        }
        return 0
    }

    private func refuseMore() -> CInt {
        refusal = "a reply has more values than the limit of \(maximumValues)"
        return 1
    }

    /// The bytes as a slice of the buffer that they were fed from; a copy if they began in an earlier one.
    ///
    /// hiredis' buffer ends with the last byte fed, so the distance from its end gives the place in ours.
    private func slice(_ bytes: UnsafePointer<CChar>?, _ length: Int) -> ByteBuffer {
        guard length > 0, let bytes, let reader, let start = reader.pointee.buf else { return ByteBuffer() }
        let index = fedEnd - (reader.pointee.len - (bytes - UnsafePointer(start)))
        if index >= buffer.readerIndex, let slice = buffer.getSlice(at: index, length: length) { return slice }
        return ByteBuffer(bytes: UnsafeRawBufferPointer(start: bytes, count: length))
    }
}
