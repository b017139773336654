import WSMCore

/// The cores of a simulated machine, and who gets them: what of Linux' scheduler (`kernel/sched/fair.c`) latencies depend on.
///
/// - Where the host takes cores away that sleep (``WakeCurve/packedBelow``), a thread stays on its core whoever wakes it. Only while all
///   together need less than a part of one core, one that somebody wakes by writing to a socket goes behind whoever that is, if nobody
///   waits there yet, and any other to a core that sleeps; unless its waker wakes many in turn (``Wakees``). Elsewhere it gets its
///   own core if that sleeps, or another that does.
/// - Threads of one core take turns by their virtual deadlines (``FairShare``): who has had more than its share is interrupted by one
///   that has not, and else keeps its core for ``SharedMachine/slice``. Of those that are woken while their core wakes up the last
///   runs first.
/// - A core that falls asleep takes a thread that has waited for another for a while, and one that sleeps does so now and then
///   (``SharedMachine/balance``).
final class Processors {
    let simulator: Simulator
    let machine: SharedMachine
    private let cores: [Core]
    private let seed: UInt64
    private var threads: UInt64 = 0
    /// CPU time that was spent so far.
    var use = ProcessorUse()
    /// The same of the last milliseconds.
    private var lately = RecentUse()
    /// Threads that wait for a core, over time.
    private(set) var queue = QueueAccount()
    private var ready = 0
    /// When a thread was last moved from one core to another.
    private var movedAt = Simulator.origin
    private var chance: CounterRNG
    /// Whose work is being done now: who wakes another thread.
    private(set) var acting: SimulatedThread?

    /// A thread that has waited for less than this since it ran is left where it is: its caches are there
    /// (`sysctl_sched_migration_cost`).
    private static let hot = TimeSpan.microseconds(500)
    /// When no thread was moved for so long, one is even though its caches are where it is (`nr_balance_failed`).
    private static let patience = TimeSpan.milliseconds(20)
    /// Who runs is looked at this often.
    private static let step = TimeSpan.microseconds(20)

    init(_ simulator: Simulator, _ machine: SharedMachine, seed: UInt64) {
        self.simulator = simulator
        self.machine = machine
        self.seed = seed
        chance = CounterRNG(seed: seed, stream: .serviceTimes, entity: 1)
        let now = simulator.now
        cores = (0..<max(1, machine.cores)).map { _ in Core(idleSince: now) }
    }

    /// A thread of its own, asleep.
    func makeThread(_ owner: SimulatedThread.Owner, warmth: Warmth = Warmth()) -> SimulatedThread {
        threads += 1
        let spread =
            switch owner {
            case .instance, .broadcaster, .publisher: machine.instanceSpread
            case .redis: machine.redisSpread
            case .clients: machine.clientSpread
            }
        return SimulatedThread(
            self, owner, number: Int(threads), core: cores[Int(threads) % cores.count], warmth: warmth,
            service: SpreadDraws(spread, seed: seed, entity: threads << 8),
            waking: SpreadDraws(machine.wakeSpread, seed: seed, entity: threads << 8 | 1))
    }

    /// Does something in the name of a thread, which wakes whoever has to be woken for it.
    func perform(as thread: SimulatedThread?, _ body: () -> Void) {
        let before = acting
        acting = thread
        body()
        acting = before
    }

    // MARK: Waking

    /// A thread that slept has work.
    func wake(_ thread: SimulatedThread, _ call: WakeUp) {
        thread.hasSlept = true
        let now = simulator.now
        // One that still counts on its core is not looked a place for.
        let core = thread.fair.isLeaving ? thread.core : place(thread, call)
        let isAwake = call == .timer && core === thread.core
        if thread.fair.isLeaving {
            core.reclaim(thread, slice: machine.slice, at: now)
        } else {
            thread.core = core
            core.enqueue(thread, slice: machine.slice, at: now)
        }
        if core.interrupts(thread, at: now) { core.isInterrupted = true }
        enterQueue()
        guard core.isIdle else { return watch(core) }
        // Who was awake, or whose timer has run out, is there already.
        guard !isAwake else {
            core.idleSince = nil
            return dispatch(core)
        }
        rouse(core, for: thread, by: call == .timer ? nil : acting)
    }

    /// Where a thread runs that is woken now (`select_task_rq_fair`).
    private func place(_ thread: SimulatedThread, _ call: WakeUp) -> Core {
        let last = thread.core
        // A timer runs out where it was set, in the name of whoever runs there.
        let waker = call == .timer ? last.running : acting.flatMap { $0.core.running === $0 ? $0 : nil }
        guard machine.wakes.packedBelow > 0 else { return ownOrIdle(last) }
        guard let waker else { return last }
        waker.wakees.note(thread, at: simulator.now)
        let isWide = waker.wakees.isWide(for: thread, cores: cores.count)
        guard call != .timer, !isWide, lately.thousandths(at: simulator.now) < machine.wakes.packedBelow else {
            return last
        }
        return call == .bySocket && waker.core.isAlone ? waker.core : ownOrIdle(last)
    }

    /// The core itself if it sleeps, or another that does, if there is one.
    private func ownOrIdle(_ core: Core) -> Core { core.isIdle ? core : cores.first(where: \.isIdle) ?? core }

    /// Wakes a core that sleeps.
    private func rouse(_ core: Core, for thread: SimulatedThread, by waker: SimulatedThread?) {
        guard let since = core.idleSince else { return }
        let cost = machine.wakes.after(simulator.now - since)
        core.idleSince = nil
        if let waker, waker !== thread {
            waker.debt = waker.debt + cost.waker
            use.addWaking(cost.waker, of: waker.owner, isSpent: false)
        }
        use.addWaking(cost.woken, of: thread.owner, isSpent: true)
        let extra = thread.coldness(at: simulator.now).cost(machine.wakeCold)
        simulator.after(thread.nextWaking(cost.latency) + extra, .core, thread.number) { [self] in dispatch(core) }
    }

    // MARK: Running

    /// Gives a core that has nobody to whoever waits for it.
    private func dispatch(_ core: Core) {
        guard core.running == nil else { return }
        guard let next = core.next(at: simulator.now) else { return fallAsleep(core) }
        leaveQueue()
        core.running = next
        core.isInterrupted = false
        warmUp(next)
        run(core, next)
    }

    /// Lets a thread that has slept find its caches cold.
    private func warmUp(_ thread: SimulatedThread) {
        guard thread.hasSlept else { return }
        thread.hasSlept = false
        let coldness = thread.coldness(at: simulator.now)
        thread.debt = thread.debt + coldness.cost(machine.cold(thread.owner))
        use.add(coldness, of: thread.owner)
    }

    private func enterQueue() {
        ready += 1
        queue.arrive(at: simulator.now)
        queue.observe(length: ready, at: simulator.now)
    }

    private func leaveQueue() {
        ready -= 1
        queue.depart(at: simulator.now)
        queue.observe(length: ready, at: simulator.now)
    }

    private func run(_ core: Core, _ thread: SimulatedThread) {
        var length = TimeSpan.zero
        perform(as: thread) { length = thread.beginSlice(at: simulator.now, limit: min(Self.step, machine.slice)) }
        use.add(length, of: thread.owner)
        core.sliceBegan = simulator.now
        simulator.after(length, .core, thread.number) { [self] in
            var goesOn = false
            perform(as: thread) { goesOn = thread.endSlice() }
            thread.ran(until: simulator.now)
            lately.add(length, at: simulator.now)
            thread.fair.runtime += length.nanoseconds
            core.sliceBegan = simulator.now
            let isOver = thread.fair.runtime >= thread.fair.deadline
            if isOver { thread.fair.deadline = thread.fair.runtime + machine.slice.nanoseconds }
            guard goesOn, core.waiting.isEmpty || !isOver && !core.isInterrupted else {
                return yield(core, goesOn)
            }
            run(core, thread)
        }
    }

    /// The thread that has the core gives it up: it sleeps, or waits with the others.
    private func yield(_ core: Core, _ wantsMore: Bool) {
        guard let thread = core.running else { return dispatch(core) }
        if wantsMore {
            core.running = nil
            core.waiting.append(thread)
            enterQueue()
        } else {
            core.leave(thread, slice: machine.slice, at: simulator.now)
        }
        dispatch(core)
    }

    // MARK: Balance

    private func fallAsleep(_ core: Core) {
        guard let (busy, place) = surplus() else {
            core.idleSince = simulator.now
            return
        }
        move(busy, place, to: core)
        dispatch(core)
    }

    /// Looks after a while whether a core that sleeps can take one of those that wait here.
    private func watch(_ core: Core) {
        guard cores.count > 1, !core.isWatched else { return }
        core.isWatched = true
        let span = Distribution.exponential(mean: machine.balance).draw(from: &chance)
        simulator.after(span, .core, 0) { [self] in
            core.isWatched = false
            guard !core.waiting.isEmpty else { return }
            if core.running != nil, let idle = cores.first(where: \.isIdle) {
                let thread = move(core, 0, to: idle)
                rouse(idle, for: thread, by: nil)
            }
            if !core.waiting.isEmpty { watch(core) }
        }
    }

    /// A thread that waits while another runs on its core; one that has waited for so long that nothing keeps it there, unless for
    /// a while none was found.
    private func surplus() -> (Core, Int)? {
        let isEager = simulator.now - movedAt >= Self.patience
        for core in cores where core.running != nil {
            if let place = core.waiting.firstIndex(where: { isEager || simulator.now - $0.ranAt >= Self.hot }) {
                return (core, place)
            }
        }
        return nil
    }

    @discardableResult
    private func move(_ busy: Core, _ place: Int, to idle: Core) -> SimulatedThread {
        movedAt = simulator.now
        let time = busy.virtualTime(at: simulator.now)
        let thread = busy.waiting.remove(at: place)
        thread.fair.lag = time - thread.fair.runtime
        thread.core = idle
        idle.enqueue(thread, slice: machine.slice, at: simulator.now)
        return thread
    }
}
