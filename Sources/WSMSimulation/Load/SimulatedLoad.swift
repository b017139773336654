import WSMCore
import WSMManagers
import WSMRecord
import WSMScenario

/// The whole load of a simulated run, from the plan: the publishers that call `broadcastData`, and the calls of the API.
final class SimulatedLoad {
    /// Calls that failed, by what they were.
    struct Refusals {
        var starts = 0
        var resumes = 0
        var aborts = 0
    }

    /// How long a resume waits for its process to be suspended.
    private static let patience = TimeSpan.seconds(30)

    private let simulator: Simulator
    private let start: MonotonicInstant
    private let measuredFrom: MonotonicInstant
    private let slots: [InstanceSlot]
    /// Who takes the calls of the API: the instances, or the worker processes of each.
    private let hosts: [InstanceSlot]
    private var running = 0
    private var isStopped = false
    private(set) var slip = LatencyHistogram()
    private(set) var refusals = Refusals()
    /// In which life of its host each process was started, where that was not the first.
    private var lives: [Int: Int] = [:]
    /// How late the threads of the load are that sleep until an instant.
    private var pacing: Pacing

    init(
        _ plan: LoadPlan, _ simulator: Simulator, start: MonotonicInstant, measuredFrom: MonotonicInstant,
        slots: [InstanceSlot], hosts: [InstanceSlot], pacing: Pacing
    ) {
        self.pacing = pacing
        self.simulator = simulator
        self.start = start
        self.measuredFrom = measuredFrom
        self.slots = slots
        self.hosts = hosts
        for broadcaster in plan.broadcasters where !broadcaster.sendsAt.isEmpty {
            running += 1
            next(Broadcaster(broadcaster))
        }
        let calls = plan.calls
        if !calls.isEmpty {
            running += 1
            call(calls, 0)
        }
    }

    /// Whether every planned item has been done, or the load was ended.
    var hasEnded: Bool { running == 0 || isStopped }

    func stop() { isStopped = true }

    // MARK: Broadcasts

    /// One publisher of the plan and how far it has come.
    private final class Broadcaster {
        let plan: PlannedBroadcaster
        var place = 0
        var life = 0
        var publisher: Publisher?

        init(_ plan: PlannedBroadcaster) { self.plan = plan }
    }

    /// - Parameter isAwake: Whether its thread is at work now: on a shared machine one that is behind its plan does not sleep, and
    ///   keeps its core.
    private func next(_ broadcaster: Broadcaster, isAwake: Bool = false) {
        guard broadcaster.place < broadcaster.plan.sendsAt.count, !isStopped else {
            running -= 1
            return
        }
        let intended = start + broadcaster.plan.sendsAt[broadcaster.place]
        broadcaster.place += 1
        let sleeps = intended > simulator.now
        if isAwake, !sleeps, pacing.isOnSharedMachine { return begin(broadcaster, intended, late: .zero) }
        simulator.at(max(intended, simulator.now), .load, broadcaster.plan.index) { [self] in
            // Virtual time is never late but for its pacing.
            guard sleeps, pacing.isOnSharedMachine else { return begin(broadcaster, intended, late: .zero) }
            let late = pacing.lateness(at: simulator.now)
            simulator.after(late, .load, broadcaster.plan.index) { [self] in begin(broadcaster, intended, late: late) }
        }
    }

    private func begin(_ broadcaster: Broadcaster, _ intended: MonotonicInstant, late: TimeSpan) {
        guard !isStopped else { return next(broadcaster) }
        if intended >= measuredFrom { slip.record(late) }
        send(broadcaster, intended)
    }

    private func send(_ broadcaster: Broadcaster, _ intended: MonotonicInstant) {
        let slot = slots[broadcaster.plan.instance]
        guard let instance = slot.instance else {
            countSkipped(slot, intended)
            return next(broadcaster)
        }
        if broadcaster.life != slot.lives {
            broadcaster.life = slot.lives
            broadcaster.publisher = instance.makePublisher(entity: 1 << 32 | UInt64(broadcaster.plan.index))
        }
        let submission = Submission(
            source: .load(broadcaster.plan.index), channel: broadcaster.plan.channel, intended: intended,
            sent: simulator.now)
        guard let stamp = instance.probe?.submitted(submission), let publisher = broadcaster.publisher else {
            return next(broadcaster)
        }
        let bytes = max(BroadcastPayload.smallest, broadcaster.plan.payloadBytes)
        let broadcast = Broadcast(channels: [broadcaster.plan.channel], bytes: bytes, stamp: stamp)
        publisher.broadcast([broadcast]) { [self] isPublished in
            // A failure may come within the call: the next one has to be a step of its own.
            next(broadcaster, isAwake: isPublished)
        }
    }

    private func countSkipped(_ slot: InstanceSlot, _ intended: MonotonicInstant) {
        if intended >= measuredFrom { slot.countSkipped() }
    }

    // MARK: Calls

    private func call(_ calls: [(at: TimeSpan, call: PlannedCall)], _ place: Int) {
        guard place < calls.count, !isStopped else {
            running -= 1
            return
        }
        let due = start + calls[place].at
        simulator.at(due, .call, place) { [self] in
            if !isStopped {
                if due >= measuredFrom { slip.record(.zero) }
                perform(calls[place].call, at: due)
            }
            call(calls, place + 1)
        }
    }

    private func perform(_ call: PlannedCall, at due: MonotonicInstant) {
        switch call {
        case .start(let process):
            let slot = hosts[process.instance]
            guard let instance = slot.instance else {
                lives[process.index] = 0
                return countSkipped(slot, due)
            }
            if slot.lives > 1 { lives[process.index] = slot.lives }
            let measure = ProcessMeasure(index: UInt32(process.index), intendedStart: due)
            if !instance.pool.start(process.spec, id: process.id, measure: measure) { refusals.starts += 1 }
        case .resume(let process): resume(process, intended: due, until: due + Self.patience)
        case .abort(let process):
            guard let instance = host(of: process, due) else { return }
            if !instance.pool.abort(process.id, intended: due) { refusals.aborts += 1 }
        case .engineStatus(let status):
            let slot = hosts[status.instance]
            guard let instance = slot.instance else { return countSkipped(slot, due) }
            instance.pool.tellStatus(intended: due)
        }
    }

    /// Resumes a process, or tries again in a while when it is not ready for it.
    private func resume(_ process: PlannedProcess, intended: MonotonicInstant, until: MonotonicInstant) {
        guard let instance = host(of: process, intended) else { return }
        switch instance.pool.resume(process.id, intended: intended) {
        case true?: break
        case false?: refusals.resumes += 1
        case nil:
            guard simulator.now < until, !isStopped else {
                refusals.resumes += 1
                return
            }
            running += 1
            simulator.after(.milliseconds(5), .call, process.index) { [self] in
                running -= 1
                if !isStopped { resume(process, intended: intended, until: until) }
            }
        }
    }

    /// Who has the process; `nil` when the life in which it was started is over.
    private func host(of process: PlannedProcess, _ due: MonotonicInstant) -> Instance? {
        let slot = hosts[process.instance]
        guard let instance = slot.instance, slot.lives == lives[process.index] ?? 1 else {
            countSkipped(slot, due)
            return nil
        }
        return instance
    }
}
