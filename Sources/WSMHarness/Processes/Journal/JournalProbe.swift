internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMManagers

/// The probe of an instance in a process of its own: it numbers and stamps the messages, and writes all it learns into the
/// journal, from which the run tells its own probe the same.
final class JournalProbe: MeasuringProbe {
    let instance: Int
    private let journal: JournalWriter
    private let run: UInt32
    private let numbers: PublisherNumbers
    /// How many messages each publisher has submitted, by channel; under the journal's lock.
    private let sequences: Mutex<[UInt64: UInt64]>
    private let submittedCount = Atomic<Int>(0)

    /// - Parameter submitted: What publishers had submitted in the instance's lives before this one.
    init(
        run: UInt32, instance: Int, numbers: PublisherNumbers, journal: JournalWriter,
        submitted: [SubmittedCount] = []
    ) {
        self.run = run
        self.instance = instance
        self.numbers = numbers
        self.journal = journal
        let known = submitted.map { (Self.key($0.publisher, $0.channel), $0.count) }
        sequences = Mutex(Dictionary(known, uniquingKeysWith: { _, last in last }))
    }

    /// Messages submitted so far, for the progress.
    var submittedSoFar: Int { submittedCount.load(ordering: .relaxed) }

    func submitted(_ submission: Submission) -> ProbeStamp? {
        guard let channel = numbers.channels[submission.channel] else { return nil }
        let publisher = numbers.number(of: submission.source, instance: instance)
        let event = ProbeSubmission(
            source: submission.source, channel: channel, intended: submission.intended, sent: submission.sent,
            process: submission.process, step: submission.step)
        submittedCount.add(1, ordering: .relaxed)
        let sequence = journal.append { appender in
            let sequence = next(publisher, channel)
            appender.append(.submitted(event, sequence: sequence))
            return sequence
        }
        var stamp = ProbeStamp(
            run: run, channel: channel, publisher: PublisherID(UInt32(publisher)), sequence: sequence,
            process: submission.process ?? ProbeStamp.noProcess, step: submission.step,
            intended: submission.intended ?? submission.sent)
        stamp.sent = submission.sent
        return stamp
    }

    func submittedFence(now: MonotonicInstant) -> ProbeStamp? {
        guard let channel = numbers.channels[.events] else { return nil }
        let publisher = numbers.fence(of: instance)
        let sequence = journal.append { appender in
            let sequence = next(publisher, channel)
            appender.append(.fenceSubmitted(at: now, sequence: sequence))
            return sequence
        }
        return ProbeStamp(
            kind: .fence, run: run, channel: channel, publisher: PublisherID(UInt32(publisher)), sequence: sequence,
            intended: now)
    }

    func published(_ stamp: ProbeStamp) { journal.append(.published(stamp)) }

    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant) {
        journal.append(.ended(ProbeKey(stamp), outcome, at: instant))
    }

    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant) {
        let client = clientLabel.flatMap(UInt32.init)
        for message in messages {
            guard let stamp = stamp(of: message) else { continue }
            journal.append(
                .fannedOut(stamp, client: client, deliveredAt: message.deliveredAt, writtenAt: writtenAt))
        }
    }

    func connected(_ client: ClientID, label: String?) {
        guard let number = label.flatMap(UInt32.init) else { return }
        journal.append(.connected(client, number: number))
    }

    func disconnected(_ client: ClientID) { journal.append(.disconnected(client, at: .now())) }

    func fanOutAborted(_ stamp: ProbeStamp) { journal.append(.fanOutAborted(ProbeKey(stamp))) }

    func leftOut(_ messages: [FannedOutMessage], clientLabel label: String?, isFirst: Bool) {
        guard let client = label.flatMap(UInt32.init) else { return }
        let published = messages.compactMap { stamp(of: $0)?.published }
        guard let from = published.min(), let until = published.max() else { return }
        journal.append(
            .leftOut(
                ProbeOmission(client: client, count: published.count, from: from, until: until, isFirst: isFirst)))
    }

    func evicted(clientLabel label: String?, at instant: MonotonicInstant) {
        guard let client = label.flatMap(UInt32.init) else { return }
        journal.append(.evicted(client: client, at: instant))
    }

    func traced(_ trace: ManagerTrace, at instant: MonotonicInstant) { journal.append(.traced(trace, at: instant)) }

    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {
        journal.append(.broadcastThreadEnded(end, at: instant))
    }

    private func stamp(of message: FannedOutMessage) -> ProbeStamp? {
        let reading = message.payload.withUnsafeReadableBytes { ProbeStamp.read($0) }
        guard case .stamped(let stamp, _) = reading, stamp.run == run else { return nil }
        return stamp
    }

    private func next(_ publisher: Int, _ channel: UInt8) -> UInt64 {
        sequences.withLock { sequences in
            let key = Self.key(UInt32(publisher), channel)
            let sequence = sequences[key] ?? 0
            sequences[key] = sequence + 1
            return sequence
        }
    }

    private static func key(_ publisher: UInt32, _ channel: UInt8) -> UInt64 {
        UInt64(publisher) << 8 | UInt64(channel)
    }
}

/// How many messages a publisher has submitted to a channel.
struct SubmittedCount: Hashable, Sendable, Codable {
    var publisher: UInt32
    var channel: UInt8
    var count: UInt64
}
