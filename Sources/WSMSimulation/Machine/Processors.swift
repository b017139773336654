import WSMCore

/// The cores of a simulated machine, and who gets them: what of Linux' scheduler (`kernel/sched/fair.c`) latencies depend on.
///
/// - A thread that is woken gets its own core if that sleeps, or another that does. Where the system would rather leave cores asleep
///   (``WakeCurve/packedBelow``), it goes behind whoever wakes it, if nobody waits there yet and the core can do with both.
/// - Threads of one core take turns by their virtual deadlines (``FairShare``): who has had more than its share is interrupted by one
///   that has not, and else keeps its core for ``SharedMachine/slice``. Of those that are woken while their core wakes up the last
///   runs first.
/// - A core that falls asleep takes a thread that has waited for another for a while, if it looks for one (``SearchOdds``), and one that
///   sleeps may at a tick.
final class Processors {
    let simulator: Simulator
    let machine: SharedMachine
    private let cores: [Core]
    private let seed: UInt64
    private var threads: UInt64 = 0
    /// CPU time that was spent so far.
    var use = ProcessorUse()
    /// Threads that wait for a core, over time.
    private(set) var queue = QueueAccount()
    private var ready = 0
    private var chance: CounterRNG
    /// Whose work is being done now: who wakes another thread.
    private(set) var acting: SimulatedThread?

    /// A thread that has waited for less than this since it ran is left where it is: its caches are there
    /// (`sysctl_sched_migration_cost`).
    private static let hot = TimeSpan.microseconds(500)
    /// After more failures than this, one is moved even though its caches are where it is (`cache_nice_tries`).
    private static let niceTries = 1
    /// Who runs is looked at this often.
    private static let step = TimeSpan.microseconds(20)

    init(_ simulator: Simulator, _ machine: SharedMachine, seed: UInt64) {
        self.simulator = simulator
        self.machine = machine
        self.seed = seed
        chance = CounterRNG(seed: seed, stream: .serviceTimes, entity: 1)
        let now = simulator.now
        // Ticks of different cores come one after the other.
        let (count, tick) = (max(1, machine.cores), machine.tick.nanoseconds)
        cores = (0..<count).map { Core(idleSince: now, phase: tick * Int64($0) / Int64(count)) }
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
        if call == .timer, thread.owner == .publisher {
            thread.debt = thread.debt + machine.timedWait
            use.addTimedWait()
        }
        // One that still counts on its core is not looked a place for.
        let core = thread.fair.isLeaving ? thread.core : place(thread, call)
        let isAwake = call == .timer && core === thread.core
        if thread.fair.isLeaving {
            core.reclaim(thread, slice: machine.slice, at: now)
        } else {
            thread.move(to: core, at: now)
            core.enqueue(thread, slice: machine.slice, at: now)
        }
        if core.interrupts(thread, at: now) { core.isInterrupted = true }
        thread.waits(at: now)
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
        // A timer runs out where it was set.
        guard call != .timer else { return last }
        guard let waker = acting, waker.core.running === waker, isPacked(thread, behind: waker) else {
            return ownOrIdle(last)
        }
        return waker.core
    }

    /// Whether a thread is put behind the one that wakes it: by what runs there used, or will use (`cpu_util`).
    private func isPacked(_ thread: SimulatedThread, behind waker: SimulatedThread) -> Bool {
        let (core, now, wakes) = (waker.core, simulator.now, machine.wakes)
        guard core.isAlone else { return false }
        let isThere = core === thread.core
        let used = core.use.thousandths(at: now) + (isThere ? 0 : thread.used(at: now))
        let expected = waker.expectedUse(at: now) + thread.expectedUse(at: now)
        return max(used, expected) < (isThere ? wakes.keptBelow : wakes.packedBelow)
    }

    /// The core itself if it sleeps, or another that does, if there is one that is worth looking for.
    private func ownOrIdle(_ core: Core) -> Core {
        guard !core.isIdle, isSearchWorthwhile else { return core }
        return cores.first(where: \.isIdle) ?? core
    }

    /// Whether so little is used that a core which sleeps is likely to be found (`nr_idle_scan`: none is looked for where it is less
    /// than one by `SIS_UTIL`).
    private var isSearchWorthwhile: Bool {
        let count = Int64(cores.count)
        let used = cores.reduce(0) { $0 + $1.use.thousandths(at: simulator.now) } / count
        // 117 % of the use, squared.
        return (1000 - used * used * 1369 / 1_000_000) * count >= 1000
    }

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
        next.starts(at: simulator.now)
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
            thread.ran(length, until: simulator.now)
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
            thread.waits(at: simulator.now)
            enterQueue()
        } else {
            thread.sleeps(at: simulator.now)
            core.leave(thread, slice: machine.slice, at: simulator.now)
        }
        dispatch(core)
    }

    // MARK: Balance

    private func fallAsleep(_ core: Core) {
        guard core.odds.looks(Int64(chance.next() % UInt64(SearchOdds.whole))) else { return sleep(core) }
        let found = cores.lazy.compactMap { [self] busy in place(in: busy, for: core).map { (busy, $0) } }.first
        core.odds.note(found: found != nil)
        guard let (busy, place) = found else { return sleep(core) }
        move(busy, place, to: core)
        dispatch(core)
    }

    private func sleep(_ core: Core) { core.idleSince = simulator.now }

    /// Looks at each tick whether a core that sleeps can take one of those that wait here, as long as any do.
    private func watch(_ core: Core) {
        guard cores.count > 1, !core.isWatched else { return }
        core.isWatched = true
        let (tick, passed) = (machine.tick.nanoseconds, (simulator.now - Simulator.origin).nanoseconds + core.phase)
        simulator.after(TimeSpan(nanoseconds: tick - passed % tick), .core, 0) { [self] in
            core.isWatched = false
            guard !core.waiting.isEmpty else { return }
            if let idle = cores.first(where: \.isIdle) { relieve(core, by: idle) }
            if !core.waiting.isEmpty { watch(core) }
        }
    }

    /// A tick finds threads that wait here while another core sleeps.
    private func relieve(_ core: Core, by idle: Core) {
        guard let place = place(in: core, for: idle) else { return idle.failures += 1 }
        let thread = move(core, place, to: idle)
        rouse(idle, for: thread, by: nil)
    }

    /// The one that waits on `busy`, where another runs, and that `core` can have: of those that are not hot, or of all after too many
    /// failures, the one that ran least recently.
    private func place(in busy: Core, for core: Core) -> Int? {
        guard busy.running != nil else { return nil }
        let takesAny = core.failures > Self.niceTries
        return busy.waiting.indices
            .filter { takesAny || simulator.now - busy.waiting[$0].ranAt >= Self.hot }
            .min { busy.waiting[$0].ranAt < busy.waiting[$1].ranAt }
    }

    @discardableResult
    private func move(_ busy: Core, _ place: Int, to idle: Core) -> SimulatedThread {
        idle.failures = 0
        let time = busy.virtualTime(at: simulator.now)
        let thread = busy.waiting.remove(at: place)
        thread.fair.lag = time - thread.fair.runtime
        thread.move(to: idle, at: simulator.now)
        idle.enqueue(thread, slice: machine.slice, at: simulator.now)
        return thread
    }
}
