import NIOCore
public import WSMCore

/// What became of one broadcast of ``BlockingRedisConnection/publishPipelined(_:acknowledged:)``.
public struct RedisPublishAcknowledgement: Sendable {
    /// The broadcast's place in the list that was published.
    public let index: Int
    /// For each of its messages how many subscribers Redis gave it to; or why not, see ``RedisError/maybePublished``.
    public let receivers: Result<[Int64], RedisError>
    /// When the reply was there, or the failure was known.
    public let at: MonotonicInstant
}

extension BlockingRedisConnection {
    /// Publishes all messages in one transaction and one write (`MULTI`, a `PUBLISH` each, `EXEC`), as the reference does.
    ///
    /// Returns for each message how many subscribers Redis gave it to. When it throws, ``RedisError/maybePublished`` tells
    /// whether trying again could publish twice.
    public func publish(_ messages: [Publication]) throws(RedisError) -> [Int64] {
        guard !messages.isEmpty else { return [] }
        var result: Result<[Int64], RedisError> = .success([])
        publish([messages], plainSingles: false, until: .now() + deadline) { result = $0.receivers }
        return try result.get()
    }

    /// Publishes several broadcasts in one write and reads their replies in order.
    ///
    /// A broadcast of one message is a plain `PUBLISH`, a larger one a transaction of its own. `acknowledged` is called once
    /// for each broadcast, in order, as soon as its reply is there; when the connection fails, also for all that are left:
    /// those that did not leave this process whole are certainly not published, the others may be. Whether the connection
    /// still serves afterwards says ``isUsable``.
    public func publishPipelined(
        _ batches: [[Publication]], acknowledged: (RedisPublishAcknowledgement) -> Void
    ) {
        publish(batches, plainSingles: true, until: .now() + deadline, acknowledged: acknowledged)
    }

    /// The same before `end`; `plainSingles` says whether a broadcast of one message goes without `MULTI`.
    func publish(
        _ batches: [[Publication]], plainSingles: Bool, until end: MonotonicInstant,
        acknowledged: (RedisPublishAcknowledgement) -> Void
    ) {
        var output = ByteBuffer()
        var ends: [Int] = []
        var refused: [Int: RedisError] = [:]
        for (index, messages) in batches.enumerated() {
            let start = output.writerIndex
            do throws(RedisError) {
                try encode(messages, plain: plainSingles && messages.count == 1, into: &output)
            } catch {
                output.moveWriterIndex(to: start)
                refused[index] = error
            }
            ends.append(output.writerIndex)
        }
        var sent = 0
        var failure: RedisError?
        do throws(RedisError) {
            try writeOutput(output, until: end) { sent = $0 }
        } catch {
            failure = error
        }
        for (index, messages) in batches.enumerated() {
            let result: Result<[Int64], RedisError>
            var at: MonotonicInstant?
            if let error = refused[index] {
                result = .failure(error)
            } else if messages.isEmpty {
                result = .success([])
            } else if let failure {
                result = .failure(sent >= ends[index] ? failure.afterSending() : failure)
            } else {
                do throws(RedisError) {
                    let plain = plainSingles && messages.count == 1
                    let outcome = try readOutcome(messages.count, plain: plain, until: end)
                    result = outcome.receivers
                    at = outcome.at
                } catch {
                    failure = error
                    result = .failure(error.afterSending())
                }
            }
            acknowledged(
                RedisPublishAcknowledgement(index: index, receivers: result, at: at ?? MonotonicInstant.now()))
        }
    }

    private func encode(_ messages: [Publication], plain: Bool, into output: inout ByteBuffer) throws(RedisError) {
        guard !messages.isEmpty else { return }
        if !plain { try RedisCommand("MULTI").encode(into: &output) }
        for message in messages {
            try RedisCommand.encodePublish(
                message.payload, to: message.channel, with: publishWord, into: &output)
        }
        if !plain { try RedisCommand("EXEC").encode(into: &output) }
    }

    private typealias Outcome = (receivers: Result<[Int64], RedisError>, at: MonotonicInstant)

    /// Reads the replies of one broadcast; throws only when the connection has failed.
    private func readOutcome(
        _ count: Int, plain: Bool, until end: MonotonicInstant
    ) throws(RedisError) -> Outcome {
        if plain {
            let reply = try nextReply(until: end)
            return (counts(of: [reply.value], expected: 1), reply.at)
        }
        // MULTI, then QUEUED for each message: the first refusal explains why EXEC will be one too.
        var refusal: RedisError?
        for _ in 0...count {
            guard case .error(let message) = try nextReply(until: end).value else { continue }
            refusal = refusal ?? .byServer(message)
        }
        let last = try nextReply(until: end)
        switch last.value {
        case .array(let replies): return (counts(of: replies, expected: count), last.at)
        case .error(let message): return (.failure(refusal ?? .byServer(message)), last.at)
        default:
            throw fail(RedisError(.protocolViolation, "Redis at \(url) answered EXEC with no array"))
        }
    }

    private func counts(of replies: [RedisReply], expected: Int) -> Result<[Int64], RedisError> {
        var counts: [Int64] = []
        for reply in replies {
            switch reply {
            case .integer(let count): counts.append(count)
            // Inside a transaction the other messages are published nevertheless.
            case .error(let message):
                let error = RedisError.byServer(message)
                return .failure(expected > 1 ? error.afterSending() : error)
            default: break
            }
        }
        guard counts.count == expected else {
            return .failure(
                fail(RedisError(.protocolViolation, "Redis at \(url) answered PUBLISH with no number")).afterSending())
        }
        return .success(counts)
    }
}
