import WSMCore
import WSMManagers
import WSMRecord

/// The `ProcessDataBroadcastThread` of an instance in virtual time: the queue and the thread's own machine.
struct LabThread {
    private var queue: BroadcastQueue<ProbeStamp>
    private var machine: BroadcastThreadMachine
    private let node: Int

    init(_ lab: ManagerLab, node: Int = 0) {
        let policies = lab.nodes[node].policies
        queue = BroadcastQueue(limit: policies.queue.limit)
        machine = BroadcastThreadMachine(onError: policies.threadOnError, queue: policies.queue)
        self.node = node
    }

    /// Puts an update on the queue.
    mutating func put(_ stamp: ProbeStamp, in lab: ManagerLab) {
        if !queue.put(stamp) { lab.failed(stamp, .queueDropped) }
    }

    /// Lets the thread work until its queue is empty or it has ended.
    ///
    /// - Parameter publish: Broadcasts one update; false when it failed.
    mutating func work(in lab: ManagerLab, publish: (ProbeStamp) -> Bool) {
        while true {
            switch machine.next(waiting: queue.count, now: lab.now) {
            case .exit(let end):
                lab.broadcastThreadEnded(end, of: node)
                return
            case .take(let count):
                var batch: [ProbeStamp] = []
                queue.take(upTo: count, into: &batch)
                guard !batch.isEmpty else { return }
                machine.began()
                let results = batch.map(publish)
                machine.finished(failed: results.contains(false))
            }
        }
    }

    /// Stops the thread, and abandons what it leaves; returns how many updates that is.
    mutating func stop(in lab: ManagerLab, publish: (ProbeStamp) -> Bool) -> Int {
        machine.stop(now: lab.now)
        work(in: lab, publish: publish)
        var left: [ProbeStamp] = []
        queue.take(upTo: .max, into: &left)
        for stamp in left { lab.failed(stamp, machine.end == .died ? .threadDead : .queueDropped) }
        return left.count
    }
}

/// `broadcast_data` of one publisher in virtual time: the publisher's own machine against a broker that may fail it.
struct LabPublisher {
    /// What the broker does with a try.
    enum Answer {
        case reply
        /// It publishes, and the connection breaks before the reply.
        case breakBeforeReply
        /// It answers with an error.
        case refuse
    }

    private var machine: BroadcastPublisher

    init(_ lab: ManagerLab, node: Int = 0, seed: UInt64) {
        machine = BroadcastPublisher(policy: lab.nodes[node].policies.publishing, seed: seed, entity: 1)
    }

    /// Publishes a message; false when it was not published for certain.
    mutating func publish(_ stamp: ProbeStamp, in lab: ManagerLab, answers: [Answer]) -> Bool {
        var answers = answers[...]
        var event = BroadcastPublisher.Event.publish
        while true {
            switch machine.handle(event, now: lab.now) {
            case .connect: event = .connected
            case .execute:
                let bytes = lab.handOver(stamp)
                switch answers.popFirst() ?? .reply {
                case .reply:
                    lab.relay(bytes)
                    event = .acknowledged
                case .breakBeforeReply:
                    lab.relay(bytes)
                    event = .failed(maybePublished: true)
                case .refuse: event = .refused
                }
            case .wait(let span):
                lab.pass(span)
                event = .waited
            case .done(let outcome):
                switch outcome.result {
                case .published: lab.acknowledged(stamp)
                case .maybePublished: lab.failed(stamp, .maybePublished)
                case .failed: lab.failed(stamp, .failed)
                }
                return outcome.result == .published
            }
        }
    }
}
