internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord

/// What a run learns of one instance's inside: it numbers and stamps the messages, logs their publishing, and measures the
/// stages up to the frame's writing.
final class RunProbe: MeasuringProbe {
    /// The latest instant of publishing among the messages that came from the broker: to all clients, or to each of those
    /// with a subscription of their own.
    fileprivate struct Delivered: Sendable {
        var toAll: MonotonicInstant?
        var toClient: [UInt32: MonotonicInstant] = [:]
    }

    let instance: Int
    /// When it wrote which message; `nil` where nobody asks.
    let written: WrittenTable?
    let stageRecorder: StageRecorder
    private let run: UInt32
    private let publishers: PublisherTable
    private let trace: SharedTraceLane?
    private let measuredFrom: Atomic<Int64>
    private let delivered = Mutex(Delivered())
    private let events: Mutex<InstanceRecord>

    /// - Parameters:
    ///   - stages: Where the stages of its messages are recorded; a thousand instances that one thread simulates share one.
    ///   - written: Where it keeps when it wrote a message.
    init(
        run: UInt32, instance: Int, publishers: PublisherTable, brokerLoss: BrokerLoss, marksByClose: Bool,
        trace: SharedTraceLane? = nil, stages: StageRecorder = StageRecorder(),
        written: WrittenTable? = WrittenTable()
    ) {
        self.run = run
        stageRecorder = stages
        self.written = written
        self.trace = trace
        self.instance = instance
        self.publishers = publishers
        measuredFrom = Atomic(Int64.max)
        events = Mutex(InstanceRecord(instance: UInt16(instance), brokerLoss: brokerLoss, marksByClose: marksByClose))
    }

    /// Messages that were due from this instant on are measured.
    func startMeasuring(from instant: MonotonicInstant) {
        measuredFrom.store(instant.nanoseconds, ordering: .relaxed)
    }

    /// What happened to the instance so far.
    var recordedEvents: InstanceRecord { events.withLock { $0 } }

    /// The instance is killed, or begins to stop; to be called before anything of it ends.
    func wentDown(at instant: MonotonicInstant) {
        trace?.happened(.wentDown, instance: UInt16(instance), at: instant)
        events.withLock { $0.wentDown(at: instant) }
    }

    /// The instance listens again.
    func cameUp(at instant: MonotonicInstant) {
        trace?.happened(.cameUp, instance: UInt16(instance), at: instant)
        events.withLock { $0.cameUp(at: instant) }
    }

    // MARK: InstanceProbe

    func submitted(_ submission: Submission) -> ProbeStamp? {
        guard let channel = publishers.number(of: submission.channel) else { return nil }
        return submitted(
            ProbeSubmission(
                source: submission.source, channel: channel, intended: submission.intended, sent: submission.sent,
                process: submission.process, step: submission.step))
    }

    func submitted(_ submission: ProbeSubmission) -> ProbeStamp? {
        let channel = submission.channel
        let log = publishers.log(of: submission.source, instance: instance)
        let intended = submission.intended ?? submission.sent
        let process = submission.process ?? ProbeStamp.noProcess
        let sequence = log.submit(
            channel: channel, intended: intended, sent: submission.sent, process: process, step: submission.step)
        var stamp = ProbeStamp(
            run: run, channel: channel, publisher: log.publisher, sequence: sequence, process: process,
            step: submission.step, intended: intended)
        stamp.sent = submission.sent
        return stamp
    }

    func submittedFence(now: MonotonicInstant) -> ProbeStamp? {
        guard let channel = publishers.number(of: .events) else { return nil }
        let log = publishers.fence(of: instance)
        let sequence = log.submit(channel: channel, intended: now, sent: now)
        return ProbeStamp(
            kind: .fence, run: run, channel: channel, publisher: log.publisher, sequence: sequence, intended: now)
    }

    func published(_ stamp: ProbeStamp) {
        log(of: stamp).published(
            channel: stamp.channel, sequence: stamp.sequence, at: stamp.published, queued: stamp.queued,
            dequeued: stamp.dequeued)
        guard isMeasured(stamp) else { return }
        stageRecorder.publishing.withLock { stages in
            stages.worker.record(stamp.sent - stamp.intended)
            if stamp.queued.nanoseconds != 0 {
                stages.queue.record(stamp.dequeued - stamp.sent)
                stages.publish.record(stamp.published - stamp.dequeued)
            } else {
                stages.publish.record(stamp.published - stamp.sent)
            }
        }
    }

    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant) {
        ended(ProbeKey(stamp), outcome, at: instant)
    }

    func ended(_ key: ProbeKey, _ outcome: PublishEnd, at instant: MonotonicInstant) {
        let log = publishers.logs[Int(key.publisher)]
        let failure: PublishOutcome
        switch outcome {
        case .acknowledged:
            log.acknowledged(channel: key.channel, sequence: key.sequence, at: instant)
            return
        case .maybePublished: failure = .maybePublished
        case .failed: failure = .failed
        case .queueDropped: failure = .queueDropped
        case .threadDead: failure = .threadDead
        }
        log.failed(channel: key.channel, sequence: key.sequence, outcome: failure, at: instant)
    }

    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant) {
        let client = clientLabel.flatMap(UInt32.init)
        for message in messages {
            guard let stamp = stamp(of: message) else { continue }
            fannedOut(stamp, client: client, deliveredAt: message.deliveredAt, writtenAt: writtenAt)
        }
    }

    /// One message of this run that was written to all clients of the instance, or to one.
    func fannedOut(
        _ stamp: ProbeStamp, client: UInt32?, deliveredAt: MonotonicInstant, writtenAt: MonotonicInstant
    ) {
        delivered.withLock { $0.note(stamp.published, to: client) }
        trace?.fannedOut(
            FannedOut(
                stamp, instance: UInt16(instance), client: client, deliveredAt: deliveredAt, writtenAt: writtenAt))
        written?.store(client: client, publisher: stamp.publisher.rawValue, sequence: stamp.sequence, at: writtenAt)
        guard isMeasured(stamp) else { return }
        stageRecorder.writing.withLock { stages in
            stages.broker.record(deliveredAt - stamp.published)
            stages.write.record(writtenAt - deliveredAt)
        }
    }

    func connected(_ client: ClientID, label: String?) {
        guard let number = label.flatMap(UInt32.init) else { return }
        connected(client, as: number)
    }

    func connected(_ client: ClientID, as number: UInt32) { events.withLock { $0.connected(client, as: number) } }

    func disconnected(_ client: ClientID) { disconnected(client, at: .now()) }

    func disconnected(_ client: ClientID, at instant: MonotonicInstant) {
        let number = events.withLock { record in
            defer { record.disconnected(client, at: instant) }
            return record.number(of: client)
        }
        if let number { delivered.withLock { _ = $0.toClient.removeValue(forKey: number) } }
    }

    /// The instance's process has ended; what comes from now on is of its next one.
    func lifeEnded(at instant: MonotonicInstant) {
        events.withLock { $0.lifeEnded(at: instant) }
        delivered.withLock { $0 = Delivered() }
    }

    func fanOutAborted(_ stamp: ProbeStamp) { fanOutAborted(ProbeKey(stamp)) }

    func fanOutAborted(_ key: ProbeKey) {
        events.withLock { $0.fanOutAborted(publisher: key.publisher, sequence: key.sequence) }
    }

    func leftOut(_ messages: [FannedOutMessage], clientLabel label: String?, isFirst: Bool) {
        guard let client = label.flatMap(UInt32.init) else { return }
        let published = messages.compactMap { stamp(of: $0)?.published }
        guard let from = published.min(), let until = published.max() else { return }
        leftOut(ProbeOmission(client: client, count: published.count, from: from, until: until, isFirst: isFirst))
    }

    func leftOut(_ omission: ProbeOmission) {
        events.withLock {
            $0.leftOut(
                omission.client, count: omission.count, from: omission.from, until: omission.until,
                isFirst: omission.isFirst)
        }
    }

    func evicted(clientLabel label: String?, at instant: MonotonicInstant) {
        guard let client = label.flatMap(UInt32.init) else { return }
        evicted(client, at: instant)
    }

    func evicted(_ client: UInt32, at instant: MonotonicInstant) {
        trace?.happened(.evicted, instance: UInt16(instance), client: client, at: instant)
        events.withLock { $0.evicted(client, at: instant) }
    }

    func traced(_ what: ManagerTrace, at instant: MonotonicInstant) {
        var latest: MonotonicInstant?
        var number: UInt32?
        if case .brokerLost(_, let client) = what {
            number = events.withLock { $0.number(of: client) }
            latest = delivered.withLock { $0.latest(to: number) }
        }
        trace?.happened(InstanceHappening(what), instance: UInt16(instance), client: number, at: instant)
        events.withLock { $0.traced(what, at: instant, delivered: latest) }
    }

    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {
        trace?.happened(end == .died ? .threadDied : .threadStopped, instance: UInt16(instance), at: instant)
        events.withLock { $0.broadcastThreadEnded(end, at: instant) }
    }

    /// Whether the message has been submitted.
    func knows(_ key: ProbeKey) -> Bool {
        guard Int(key.publisher) < publishers.count else { return false }
        return key.sequence < UInt64(publishers.logs[Int(key.publisher)].submittedCount(channel: key.channel))
    }

    /// The stamp of a message of this run.
    private func stamp(of message: FannedOutMessage) -> ProbeStamp? {
        let reading = message.payload.withUnsafeReadableBytes { ProbeStamp.read($0) }
        guard case .stamped(let stamp, _) = reading, stamp.run == run else { return nil }
        return stamp
    }

    private func log(of stamp: ProbeStamp) -> PublishLog { publishers.logs[Int(stamp.publisher.rawValue)] }

    private func isMeasured(_ stamp: ProbeStamp) -> Bool {
        stamp.kind == .load && stamp.intended.nanoseconds >= measuredFrom.load(ordering: .relaxed)
    }
}

extension RunProbe.Delivered {
    /// - Parameter client: The only client that it was for; `nil`: all.
    mutating func note(_ published: MonotonicInstant, to client: UInt32?) {
        if let client {
            toClient[client] = max(published, toClient[client] ?? published)
        } else {
            toAll = max(published, toAll ?? published)
        }
    }

    func latest(to client: UInt32?) -> MonotonicInstant? {
        if let client { toClient[client] } else { toAll }
    }
}
