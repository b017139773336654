import CHiredis
public import NIOCore
import NIOPosix
public import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A connection for one dedicated thread, which waits in its calls: hiredis' synchronous context, or over TLS a channel on an
/// event loop.
///
/// Never call it from an event loop or from Swift's own threads. Every call ends by its deadline. After an error of the
/// connection (not one that Redis answered with) it is closed and stays so.
///
/// An error's ``RedisError/maybePublished`` tells whether Redis may have carried out what was asked: the bytes of a
/// broadcast that never left this process cannot have been published, those that did may have been.
public final class BlockingRedisConnection {
    /// A message for a channel.
    public typealias Publication = (channel: ChannelName, payload: [UInt8])

    /// Most that a connection keeps of unread replies.
    private static let maximumUnreadBytes = 64 << 20

    public let url: RedisURL
    /// How long one call may take.
    public let deadline: TimeSpan

    /// How it publishes.
    var publishWord = RedisCommand.PublishWord.plain

    private var context: UnsafeMutablePointer<redisContext>?
    /// In the context's place over TLS.
    private var secure: SecureTransport?
    private var failure: RedisError?
    /// Reused for each call's commands.
    private var output = ByteBuffer()

    /// Connects, logs in and selects the database, before `deadline` has passed; later calls have the same time each.
    ///
    /// - Parameters:
    ///   - requiresMaster: Refuses a replica.
    ///   - eventLoop: Where encryption is done, over TLS; one of the process's shared loops when `nil`.
    /// - Throws: ``RedisError``, `notMaster` if `requiresMaster` and the server is a replica.
    public init(
        url: RedisURL, deadline: TimeSpan, requiresMaster: Bool = false, eventLoop: (any EventLoop)? = nil
    ) throws(RedisError) {
        self.url = url
        self.deadline = deadline
        let end = MonotonicInstant.now() + deadline
        if url.trust == nil {
            context = try Self.open(url, deadline)
        } else {
            let loop = eventLoop ?? MultiThreadedEventLoopGroup.singleton.any()
            secure = try SecureTransport(url: url, deadline: deadline, on: loop)
        }
        var handshake = RedisHandshake(url: url, clientName: nil, ping: false, requiresMaster: requiresMaster)
        guard !handshake.isDone else { return }
        try write(handshake.commands, until: end)
        while !handshake.isDone {
            let reply = try nextReply(until: end)
            do throws(RedisError) {
                try handshake.receive(reply.value)
            } catch {
                throw fail(error)
            }
        }
    }

    deinit {
        if let context { redisFree(context) }
    }

    /// Whether calls can still succeed, as far as is known.
    public var isUsable: Bool { context != nil || secure != nil }

    /// Closes the connection; what is called afterwards fails with the code `closed`.
    public func close() {
        guard isUsable else { return }
        _ = fail(RedisError(.closed, "the connection to Redis at \(url) was closed by its owner"))
    }

    /// Asks Redis for a sign of life.
    public func ping() throws(RedisError) {
        let reply = try send(RedisCommand("PING"))
        guard case .status("PONG") = reply else {
            throw fail(RedisError(.protocolViolation, "Redis at \(url) answered a PING with \(reply)"))
        }
    }

    /// Sends one command and waits for its reply; an error that Redis answers with is thrown as `serverError`.
    public func send(_ command: RedisCommand) throws(RedisError) -> RedisReply {
        let end = MonotonicInstant.now() + deadline
        try write([command], until: end)
        do throws(RedisError) {
            return try nextReply(until: end).value.success()
        } catch {
            throw error.code == .serverError || error.code == .authenticationFailed ? error : error.afterSending()
        }
    }

    /// Writes the commands in one go.
    private func write(_ commands: [RedisCommand], until end: MonotonicInstant) throws(RedisError) {
        output.clear(minimumCapacity: 0)
        for command in commands { try command.encode(into: &output) }
        try writeOutput(output, until: end) { _ in }
    }

    /// Sends all of `bytes`; `progress` hears how many have left, also before an error is thrown.
    func writeOutput(
        _ bytes: ByteBuffer, until end: MonotonicInstant, progress: (Int) -> Void
    ) throws(RedisError) {
        if let secure {
            do throws(SecureTransport.Failure) {
                try secure.write(bytes)
            } catch {
                throw fail(secureFailure(error))
            }
            // What the channel has taken may have arrived, whatever comes of it.
            return progress(bytes.readableBytes)
        }
        let context = try usableContext()
        // Nothing is awaited here, so readable means that Redis has closed: say so while it is certain that nothing was sent.
        guard wsmContextIsStale(context) == 0 else { throw fail(connectionLost("Redis has closed it")) }
        var sent = 0
        while sent < bytes.readableBytes {
            var code: CInt = 0
            let count = bytes.withUnsafeReadableBytes { raw in
                wsmContextSend(context, raw.baseAddress.map { $0 + sent }, raw.count - sent, &code)
            }
            if count > 0 {
                sent += count
                progress(sent)
            } else if code == EAGAIN || code == EWOULDBLOCK {
                try wait(context, forWriting: true, until: end)
            } else if code != EINTR {
                throw fail(connectionLost(String(cString: strerror(code))))
            }
        }
    }

    /// The next reply and the instant at which it was there.
    func nextReply(until end: MonotonicInstant) throws(RedisError) -> (value: RedisReply, at: MonotonicInstant) {
        if let secure {
            do throws(SecureTransport.Failure) {
                return try secure.nextReply(until: end)
            } catch {
                throw fail(secureFailure(error))
            }
        }
        let context = try usableContext()
        while true {
            var object: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &object) == REDIS_OK else {
                let reason = String(cString: wsmContextError(context))
                throw fail(RedisError(.protocolViolation, "Redis' reply is not valid RESP2: \(reason)"))
            }
            if let object {
                defer { freeReplyObject(object) }
                let at = MonotonicInstant.now()
                return (RedisReply(hiredis: object.assumingMemoryBound(to: redisReply.self)), at)
            }
            guard wsmContextUnread(context) <= Self.maximumUnreadBytes else {
                throw fail(
                    RedisError(.protocolViolation, "a reply is larger than \(Self.maximumUnreadBytes) bytes"))
            }
            try readMore(context, until: end)
        }
    }

    private func readMore(_ context: UnsafeMutablePointer<redisContext>, until end: MonotonicInstant) throws(RedisError)
    {
        try wait(context, forWriting: false, until: end)
        var code: CInt = 0
        guard wsmContextRead(context, &code) != REDIS_OK else { return }
        throw fail(connectionLost(String(cString: wsmContextError(context))))
    }

    private func wait(
        _ context: UnsafeMutablePointer<redisContext>, forWriting: Bool, until end: MonotonicInstant
    ) throws(RedisError) {
        while true {
            let left = (end - MonotonicInstant.now()).nanoseconds
            guard left > 0 else { throw fail(timedOut()) }
            let milliseconds = CInt(min(left / 1_000_000 + 1, 86_400_000))
            var code: CInt = 0
            let count = wsmContextWait(context, forWriting ? 1 : 0, milliseconds, &code)
            if count > 0 { return }
            if count < 0, code != EINTR { throw fail(connectionLost(String(cString: strerror(code)))) }
        }
    }

    private func usableContext() throws(RedisError) -> UnsafeMutablePointer<redisContext> {
        guard let context else {
            throw failure ?? RedisError(.closed, "the connection to Redis at \(url) is closed")
        }
        return context
    }

    /// Closes the connection for `error`, and hands it back to be thrown.
    func fail(_ error: RedisError) -> RedisError {
        if let context { redisFree(context) }
        context = nil
        secure = nil
        failure = failure ?? error
        return error
    }

    private func secureFailure(_ failure: SecureTransport.Failure) -> RedisError {
        switch failure {
        case .timedOut: timedOut()
        case .ended(let reason): connectionLost(reason)
        case .malformed(let error): error
        }
    }

    private func timedOut() -> RedisError {
        RedisError(.timedOut, "Redis at \(url) did not answer within \(deadline.seconds) s")
    }

    private func connectionLost(_ reason: String) -> RedisError {
        RedisError(.connectionLost, "the connection to Redis at \(url) ended: \(reason)")
    }

    private static func open(
        _ url: RedisURL, _ deadline: TimeSpan
    ) throws(RedisError) -> UnsafeMutablePointer<redisContext> {
        let limit = deadline.timeval
        let context: UnsafeMutablePointer<redisContext>?
        switch url.address {
        case .tcp(let host, let port): context = redisConnectWithTimeout(host, CInt(port), limit)
        case .unixSocket(let path): context = redisConnectUnixWithTimeout(path, limit)
        }
        guard let context else { throw RedisError(.connectFailed, "there is no memory for a connection to Redis") }
        guard context.pointee.err == 0 else {
            let reason = String(cString: wsmContextError(context))
            redisFree(context)
            if reason == String(cString: strerror(ETIMEDOUT)) {
                throw RedisBootstrap.timedOut(url: url, deadline: deadline)
            }
            throw RedisError(
                .connectFailed, "cannot connect to Redis at \(url): \(reason). Is redis-server running there?")
        }
        wsmContextSetUp(context)
        return context
    }
}

extension TimeSpan {
    /// For hiredis, which takes zero for "for ever": at least a millisecond, at most a day.
    fileprivate var timeval: timeval {
        let microseconds = min(max(nanoseconds / 1000, 1000), 86_400_000_000)
        return .init(tv_sec: Int(microseconds / 1_000_000), tv_usec: .init(microseconds % 1_000_000))
    }
}

extension RedisReply {
    /// Copies a reply of hiredis' own making, which nests at most 7 deep.
    fileprivate init(hiredis reply: UnsafePointer<redisReply>) {
        let value = reply.pointee
        let bytes = UnsafeRawBufferPointer(start: value.str, count: value.str == nil ? 0 : Int(value.len))
        switch value.type {
        case REDIS_REPLY_STRING: self = .string(ByteBuffer(bytes: bytes))
        case REDIS_REPLY_STATUS: self = .status(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_ERROR: self = .error(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_INTEGER: self = .integer(Int64(value.integer))
        case REDIS_REPLY_ARRAY:
            self = .array(
                (0..<Int(value.elements)).map { index in
                    guard let element = value.element?[index] else { return .null }
                    return RedisReply(hiredis: element)
                })
        default: self = .null
        }
    }
}
