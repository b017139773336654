import WSMCore
import WSMManagers
import WSMRecord

/// The `ProcessDataBroadcastThread` of a simulated instance: the live one's machine and queue.
final class BroadcastThread {
    private unowned let instance: Instance
    private var queue: BroadcastQueue<[Broadcast]>
    private var machine: BroadcastThreadMachine
    private let publisher: Publisher
    private var isBusy = false
    private var isAwake = false
    private(set) var isAbandoned = false
    private var hasTold = false
    /// What waited in the queue.
    private(set) var account = QueueAccount()

    init(_ instance: Instance) {
        self.instance = instance
        let policies = instance.setup.policies
        queue = BroadcastQueue(limit: policies.queue.limit)
        var queuePolicy = policies.queue
        if instance.saboteur?.leavesQueueAtStop == true { queuePolicy.drainsOnStop = false }
        machine = BroadcastThreadMachine(onError: policies.threadOnError, queue: queuePolicy)
        publisher = instance.makePublisher(entity: 1)
    }

    var waiting: Int { queue.count }
    var end: BroadcastThreadEnd? { machine.end }
    /// Whether the thread has left its run loop.
    var hasEnded: Bool { machine.end != nil && !isBusy || isAbandoned }

    /// Puts an update on the queue.
    func put(_ update: [Broadcast]) {
        guard !queue.put(update) else {
            account.arrive(at: instance.simulator.now)
            account.observe(length: queue.count, at: instance.simulator.now)
            return wake()
        }
        instance.counts.queueRefused += 1
        abandon(update, .queueDropped)
    }

    func stop() {
        machine.stop(now: instance.simulator.now)
        wake()
    }

    /// Takes nothing more, and reports nothing.
    func abandon() {
        isAbandoned = true
        _ = take(.max)
    }

    /// Takes from the front of the queue.
    private func take(_ count: Int) -> [[Broadcast]] {
        var updates: [[Broadcast]] = []
        queue.take(upTo: count, into: &updates)
        account.depart(updates.count, at: instance.simulator.now)
        account.observe(length: queue.count, at: instance.simulator.now)
        return updates
    }

    /// Reports what still waits as never published; returns how many updates that are.
    func abandonQueue() -> Int {
        let left = take(.max)
        let outcome: PublishEnd = machine.end == .died ? .threadDead : .queueDropped
        for update in left { abandon(update, outcome) }
        return left.count
    }

    private func abandon(_ update: [Broadcast], _ outcome: PublishEnd) {
        for broadcast in update { instance.probe?.ended(broadcast.stamp, outcome, at: instance.simulator.now) }
    }

    /// Lets it look at its queue, once it has woken.
    private func wake() {
        guard !isBusy, !isAwake, !isAbandoned else { return }
        isAwake = true
        publisher.wakeThread { [self] in
            isAwake = false
            look()
        }
    }

    private func look() {
        guard !isBusy, !isAbandoned, !instance.isDead, !hasTold else { return }
        switch machine.next(waiting: queue.count, now: instance.simulator.now) {
        case .exit(let end):
            hasTold = true
            instance.probe?.broadcastThreadEnded(end, at: instance.simulator.now)
        case .take(let count):
            var updates = take(count)
            guard !updates.isEmpty else { return }
            if instance.saboteur?.takesNewestFirst(of: updates.count) == true { updates.reverse() }
            machine.began()
            isBusy = true
            publish(updates)
        }
    }

    private func publish(_ updates: [[Broadcast]]) {
        var broadcasts = updates.flatMap(\.self)
        for index in broadcasts.indices { broadcasts[index].stamp.dequeued = instance.simulator.now }
        publisher.broadcast(broadcasts) { [self] all in
            isBusy = false
            guard !isAbandoned else { return }
            machine.finished(failed: !all)
            if instance.saboteur?.sleepsWithoutLooking != true { look() }
        }
    }
}

/// The thread that makes the broadcasts of the API's endpoints, in the order of their coming.
final class ApiBroadcaster {
    private unowned let instance: Instance
    private let publisher: Publisher
    private var queue = BroadcastQueue<Broadcast>(limit: 65_536)
    private var isBusy = false
    private var isAbandoned = false
    private var stops = false

    init(_ instance: Instance) {
        self.instance = instance
        publisher = instance.makePublisher(entity: 2)
    }

    /// Whether it is done with everything, after ``stop()``.
    var hasEnded: Bool { stops && !isBusy && queue.isEmpty }

    func put(_ broadcast: Broadcast) {
        guard !stops, queue.put(broadcast) else {
            instance.counts.queueRefused += 1
            instance.probe?.ended(broadcast.stamp, .queueDropped, at: instance.simulator.now)
            return
        }
        guard !isBusy else { return }
        isBusy = true
        instance.simulator.after(instance.costs.wake, .publisher, instance.setup.index) { [self] in next() }
    }

    /// Lets it send what waits, and takes nothing more.
    func stop() { stops = true }

    func abandon() {
        stops = true
        isAbandoned = true
        var left: [Broadcast] = []
        queue.take(upTo: .max, into: &left)
    }

    private func next() {
        var batch: [Broadcast] = []
        queue.take(upTo: 1, into: &batch)
        guard !batch.isEmpty, !isAbandoned else {
            isBusy = false
            return
        }
        publisher.broadcast(batch) { [self] _ in next() }
    }
}
