internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord

/// What a run learns of one instance's inside: it numbers and stamps the messages, logs their publishing, and measures the
/// stages up to the frame's writing.
final class RunProbe: InstanceProbe {
    /// Things that happened to the instance, for the settlement and the result.
    struct Events: Sendable {
        var evictions: [(client: UInt32, at: MonotonicInstant)] = []
        var poolExhausted = 0
        var fanOutsAborted = 0
        var brokerLosses: [MonotonicInstant] = []
        var resubscriptions: [MonotonicInstant] = []
        var gaveUp = 0
        var threadEnd: (end: BroadcastThreadEnd, at: MonotonicInstant)?

        /// At most this many events of a kind are kept one by one.
        static let limit = 100_000
    }

    let instance: Int
    let written = WrittenTable()
    private let run: UInt32
    private let publishers: PublisherTable
    private let trace: SharedTraceLane?
    private let measuredFrom: Atomic<Int64>
    private let publishingStages = Mutex(StageHistograms())
    private let writingStages = Mutex(StageHistograms())
    private let events = Mutex(Events())

    init(run: UInt32, instance: Int, publishers: PublisherTable, trace: SharedTraceLane? = nil) {
        self.run = run
        self.trace = trace
        self.instance = instance
        self.publishers = publishers
        measuredFrom = Atomic(Int64.max)
    }

    /// Messages that were due from this instant on are measured.
    func startMeasuring(from instant: MonotonicInstant) {
        measuredFrom.store(instant.nanoseconds, ordering: .relaxed)
    }

    /// The stages of this instance's messages, so far.
    var stages: StageHistograms {
        var sum = publishingStages.withLock { $0 }
        sum.add(writingStages.withLock { $0 })
        return sum
    }

    /// The means of the stages so far, cheap enough to be asked a few times a second.
    var stageMeans: StageMeans {
        var means = publishingStages.withLock { StageMeans($0) }
        means.add(writingStages.withLock { StageMeans($0) })
        return means
    }

    var recordedEvents: Events { events.withLock { $0 } }

    // MARK: InstanceProbe

    func submitted(_ submission: Submission) -> ProbeStamp? {
        guard let channel = publishers.number(of: submission.channel) else { return nil }
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

    /// A fence to be published through this instance.
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
        publishingStages.withLock { stages in
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
        let log = log(of: stamp)
        let failure: PublishOutcome
        switch outcome {
        case .acknowledged:
            log.acknowledged(channel: stamp.channel, sequence: stamp.sequence, at: instant)
            return
        case .maybePublished: failure = .maybePublished
        case .failed: failure = .failed
        case .queueDropped: failure = .queueDropped
        case .threadDead: failure = .threadDead
        }
        log.failed(channel: stamp.channel, sequence: stamp.sequence, outcome: failure, at: instant)
    }

    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant) {
        let client = clientLabel.flatMap(UInt32.init)
        writingStages.withLock { stages in
            for message in messages {
                let reading = message.payload.withUnsafeReadableBytes { ProbeStamp.read($0) }
                guard case .stamped(let stamp, _) = reading, stamp.run == run else { continue }
                trace?.fannedOut(
                    FannedOut(
                        stamp, instance: UInt16(instance), client: client, deliveredAt: message.deliveredAt,
                        writtenAt: writtenAt))
                written.store(
                    client: client, publisher: stamp.publisher.rawValue, sequence: stamp.sequence, at: writtenAt)
                guard isMeasured(stamp) else { continue }
                stages.broker.record(message.deliveredAt - stamp.published)
                stages.write.record(writtenAt - message.deliveredAt)
            }
        }
    }

    func evicted(clientLabel label: String?, at instant: MonotonicInstant) {
        guard let client = label.flatMap(UInt32.init) else { return }
        trace?.happened(.evicted, instance: UInt16(instance), client: client, at: instant)
        events.withLock { if $0.evictions.count < Events.limit { $0.evictions.append((client, instant)) } }
    }

    func traced(_ what: ManagerTrace, at instant: MonotonicInstant) {
        trace?.happened(InstanceHappening(what), instance: UInt16(instance), at: instant)
        events.withLock { events in
            switch what {
            case .poolExhausted: events.poolExhausted += 1
            case .fanOutAborted: events.fanOutsAborted += 1
            case .brokerLost: if events.brokerLosses.count < Events.limit { events.brokerLosses.append(instant) }
            case .resubscribed:
                if events.resubscriptions.count < Events.limit { events.resubscriptions.append(instant) }
            case .gaveUp: events.gaveUp += 1
            case .fanOutStalled, .skippedAtShutdown: break
            }
        }
    }

    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {
        trace?.happened(end == .died ? .threadDied : .threadStopped, instance: UInt16(instance), at: instant)
        events.withLock { $0.threadEnd = (end, instant) }
    }

    private func log(of stamp: ProbeStamp) -> PublishLog { publishers.logs[Int(stamp.publisher.rawValue)] }

    private func isMeasured(_ stamp: ProbeStamp) -> Bool {
        stamp.kind == .load && stamp.intended.nanoseconds >= measuredFrom.load(ordering: .relaxed)
    }
}
