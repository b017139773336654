internal import WSMCore
internal import WSMInstance
internal import WSMManagers

/// How a ``ProbeEvent`` stands in a journal: its kind in one byte, then its fields, little-endian and without padding.
///
/// Optional numbers are their largest value when they are absent.
enum ProbeRecord {
    /// No record is longer.
    static let longest = 96

    private enum Kind: UInt8 {
        case submitted = 1
        case fenceSubmitted, published, ended, fannedOut, connected, disconnected, fanOutAborted, leftOut, evicted
        case traced, broadcastThreadEnded, slipped, refused, loadUsed
    }

    // MARK: Writing

    static func write(_ event: ProbeEvent, to writer: inout RecordWriter) {
        switch event {
        case .submitted(let submission, let sequence):
            writer.put(Kind.submitted)
            write(submission, &writer)
            writer.put(sequence)
        case .fenceSubmitted(let at, let sequence):
            writer.put(Kind.fenceSubmitted)
            writer.put(at)
            writer.put(sequence)
        case .published(let stamp):
            writer.put(Kind.published)
            write(stamp, &writer)
        case .ended(let key, let outcome, let at):
            writer.put(Kind.ended)
            write(key, &writer)
            writer.put(number(of: outcome))
            writer.put(at)
        case .fannedOut(let stamp, let client, let deliveredAt, let writtenAt):
            writer.put(Kind.fannedOut)
            write(stamp, &writer)
            writer.put(client ?? .max)
            writer.put(deliveredAt)
            writer.put(writtenAt)
        case .fanOutAborted(let key):
            writer.put(Kind.fanOutAborted)
            write(key, &writer)
        case .connected, .disconnected, .leftOut, .evicted: writeClient(event, &writer)
        case .traced(let trace, let at):
            writer.put(Kind.traced)
            write(trace, &writer)
            writer.put(at)
        case .broadcastThreadEnded(let end, let at):
            writer.put(Kind.broadcastThreadEnded)
            if case .stopped(let left) = end { writer.put(Int64(left)) } else { writer.put(Int64.max) }
            writer.put(at)
        case .slipped(let span):
            writer.put(Kind.slipped)
            writer.put(span.nanoseconds)
        case .refused(let refusal):
            writer.put(Kind.refused)
            writer.put(refusal)
        case .loadUsed(let cpu):
            writer.put(Kind.loadUsed)
            writer.put(cpu.nanoseconds)
        }
    }

    private static func writeClient(_ event: ProbeEvent, _ writer: inout RecordWriter) {
        switch event {
        case .connected(let client, let number):
            writer.put(Kind.connected)
            writer.put(client.rawValue)
            writer.put(number)
        case .disconnected(let client, let at):
            writer.put(Kind.disconnected)
            writer.put(client.rawValue)
            writer.put(at)
        case .leftOut(let omission):
            writer.put(Kind.leftOut)
            writer.put(omission.client)
            writer.put(Int64(omission.count))
            writer.put(omission.from)
            writer.put(omission.until)
            writer.put(omission.isFirst ? 1 : 0 as UInt8)
        case .evicted(let client, let at):
            writer.put(Kind.evicted)
            writer.put(client)
            writer.put(at)
        default: preconditionFailure("an event about no client: \(event)")
        }
    }

    private static func write(_ submission: ProbeSubmission, _ writer: inout RecordWriter) {
        let (kind, number): (UInt8, Int) =
            switch submission.source {
            case .broadcastThread: (0, 0)
            case .api: (1, 0)
            case .worker(let number): (2, number)
            case .load(let index): (3, index)
            }
        writer.put(kind)
        writer.put(UInt32(number))
        writer.put(submission.channel)
        writer.put(submission.intended?.nanoseconds ?? .max)
        writer.put(submission.sent)
        writer.put(submission.process ?? .max)
        writer.put(submission.step)
    }

    private static func write(_ stamp: ProbeStamp, _ writer: inout RecordWriter) {
        writer.put(stamp.kind)
        write(ProbeKey(stamp), &writer)
        writer.put(stamp.run)
        writer.put(stamp.process)
        writer.put(stamp.step)
        for instant in [stamp.intended, stamp.sent, stamp.queued, stamp.dequeued, stamp.published] {
            writer.put(instant)
        }
    }

    private static func write(_ key: ProbeKey, _ writer: inout RecordWriter) {
        writer.put(key.publisher)
        writer.put(key.channel)
        writer.put(key.sequence)
    }

    private static func write(_ trace: ManagerTrace, _ writer: inout RecordWriter) {
        let (kind, first, client, count): (UInt8, UInt64, ClientID?, Int) =
            switch trace {
            case .poolExhausted(let client): (0, 0, client, 0)
            case .fanOutAborted(let broadcast, let client, let missed): (1, broadcast.rawValue, client, missed)
            case .fanOutStalled(let broadcast, let client): (2, broadcast.rawValue, client, 0)
            case .brokerLost(let id, let client): (3, id.rawValue, client, 0)
            case .resubscribed(let id, let client, let attempts): (4, id.rawValue, client, attempts)
            case .gaveUp(let id, let client): (5, id.rawValue, client, 0)
            case .skippedAtShutdown(let count): (6, 0, nil, count)
            }
        writer.put(kind)
        writer.put(first)
        writer.put(client?.rawValue ?? .max)
        writer.put(Int64(count))
    }

    // MARK: Reading

    /// - Throws: ``JournalError`` when the bytes are no record.
    static func read(_ reader: inout RecordReader) throws(JournalError) -> ProbeEvent {
        guard let kind = Kind(rawValue: try reader.take(UInt8.self)) else { throw JournalError.damaged }
        switch kind {
        case .submitted:
            let submission = try readSubmission(&reader)
            return .submitted(submission, sequence: try reader.take(UInt64.self))
        case .fenceSubmitted:
            return .fenceSubmitted(at: try reader.takeInstant(), sequence: try reader.take(UInt64.self))
        case .published: return .published(try readStamp(&reader))
        case .ended:
            let key = try readKey(&reader)
            return .ended(key, try outcome(try reader.take(UInt8.self)), at: try reader.takeInstant())
        case .fannedOut:
            let stamp = try readStamp(&reader)
            return .fannedOut(
                stamp, client: try reader.takeOptional(UInt32.self), deliveredAt: try reader.takeInstant(),
                writtenAt: try reader.takeInstant())
        case .fanOutAborted: return .fanOutAborted(try readKey(&reader))
        case .connected, .disconnected, .leftOut, .evicted: return try readClient(kind, &reader)
        case .traced:
            let trace = try readTrace(&reader)
            return .traced(trace, at: try reader.takeInstant())
        case .broadcastThreadEnded:
            let left = try reader.takeOptional(Int64.self)
            return .broadcastThreadEnded(left.map { .stopped(left: Int($0)) } ?? .died, at: try reader.takeInstant())
        case .slipped: return .slipped(TimeSpan(nanoseconds: try reader.take(Int64.self)))
        case .refused:
            guard let refusal = ProcessLoad.Refusal(rawValue: try reader.take(UInt8.self)) else {
                throw JournalError.damaged
            }
            return .refused(refusal)
        case .loadUsed: return .loadUsed(TimeSpan(nanoseconds: try reader.take(Int64.self)))
        }
    }

    private static func readClient(_ kind: Kind, _ reader: inout RecordReader) throws(JournalError) -> ProbeEvent {
        switch kind {
        case .connected:
            return .connected(ClientID(try reader.take(UInt64.self)), number: try reader.take(UInt32.self))
        case .disconnected: return .disconnected(ClientID(try reader.take(UInt64.self)), at: try reader.takeInstant())
        case .leftOut:
            return .leftOut(
                ProbeOmission(
                    client: try reader.take(UInt32.self), count: Int(try reader.take(Int64.self)),
                    from: try reader.takeInstant(), until: try reader.takeInstant(),
                    isFirst: try reader.take(UInt8.self) == 1))
        case .evicted: return .evicted(client: try reader.take(UInt32.self), at: try reader.takeInstant())
        default: throw JournalError.damaged
        }
    }

    private static func readSubmission(_ reader: inout RecordReader) throws(JournalError) -> ProbeSubmission {
        let kind = try reader.take(UInt8.self)
        let number = Int(try reader.take(UInt32.self))
        let source: Submission.Source
        switch kind {
        case 0: source = .broadcastThread
        case 1: source = .api
        case 2: source = .worker(number)
        case 3: source = .load(number)
        default: throw JournalError.damaged
        }
        let channel = try reader.take(UInt8.self)
        let intended = try reader.takeOptional(Int64.self).map { MonotonicInstant(nanoseconds: $0) }
        return ProbeSubmission(
            source: source, channel: channel, intended: intended, sent: try reader.takeInstant(),
            process: try reader.takeOptional(UInt32.self), step: try reader.take(UInt16.self))
    }

    private static func readStamp(_ reader: inout RecordReader) throws(JournalError) -> ProbeStamp {
        guard let kind = ProbeStamp.Kind(rawValue: try reader.take(UInt8.self)) else { throw JournalError.damaged }
        let key = try readKey(&reader)
        let run = try reader.take(UInt32.self)
        let process = try reader.take(UInt32.self)
        let step = try reader.take(UInt16.self)
        var stamp = ProbeStamp(
            kind: kind, run: run, channel: key.channel, publisher: PublisherID(key.publisher), sequence: key.sequence,
            process: process, step: step, intended: try reader.takeInstant())
        stamp.sent = try reader.takeInstant()
        stamp.queued = try reader.takeInstant()
        stamp.dequeued = try reader.takeInstant()
        stamp.published = try reader.takeInstant()
        return stamp
    }

    private static func readKey(_ reader: inout RecordReader) throws(JournalError) -> ProbeKey {
        ProbeKey(
            publisher: try reader.take(UInt32.self), channel: try reader.take(UInt8.self),
            sequence: try reader.take(UInt64.self))
    }

    private static func readTrace(_ reader: inout RecordReader) throws(JournalError) -> ManagerTrace {
        let kind = try reader.take(UInt8.self)
        let first = try reader.take(UInt64.self)
        let client = try reader.takeOptional(UInt64.self).map { ClientID($0) }
        let count = Int(try reader.take(Int64.self))
        switch (kind, client) {
        case (0, let client?): return .poolExhausted(client)
        case (1, let client?): return .fanOutAborted(BroadcastID(first), at: client, missed: count)
        case (2, let client?): return .fanOutStalled(BroadcastID(first), at: client)
        case (3, _): return .brokerLost(SubscriptionID(first), of: client)
        case (4, _): return .resubscribed(SubscriptionID(first), of: client, attempts: count)
        case (5, _): return .gaveUp(SubscriptionID(first), of: client)
        case (6, _): return .skippedAtShutdown(count)
        default: throw JournalError.damaged
        }
    }

    // MARK: Outcomes

    private static let outcomes: [PublishEnd] = [.acknowledged, .maybePublished, .failed, .queueDropped, .threadDead]

    private static func number(of outcome: PublishEnd) -> UInt8 {
        UInt8(outcomes.firstIndex(of: outcome) ?? outcomes.count)
    }

    private static func outcome(_ number: UInt8) throws(JournalError) -> PublishEnd {
        guard Int(number) < outcomes.count else { throw JournalError.damaged }
        return outcomes[Int(number)]
    }
}
