import WSMCore

/// A piece of work of one thread: so much CPU time, and what becomes of it on the way.
struct Work {
    /// CPU time.
    var length: TimeSpan
    /// Called at the beginning of each slice with the part of the work that it does, and when it begins.
    var slice: (Range<Int64>, MonotonicInstant) -> Void = { _, _ in }
    /// The end of the first step in a part of the work that may wake somebody, who then may take the core at once; `nil`: none does.
    var firstWake: (Range<Int64>) -> Int64? = { _ in nil }
    /// Called when all of it is done.
    var done: () -> Void = {}
}

/// How a thread that sleeps is woken, which decides on which core it runs.
enum WakeUp {
    /// Its own timer has run out, or it has been running until now.
    case timer
    /// By another thread, which signals it or writes to a socket that it waits for.
    case byThread
}

/// A thread of the simulated machine: it sleeps until there is work, wakes, and does one piece after the other.
final class SimulatedThread {
    /// Whom its CPU time is counted to.
    enum Owner: Hashable {
        case instance
        /// A thread of an instance that publishes: `ProcessDataBroadcastThread`, and what the API's endpoints have for it.
        case broadcaster
        /// A thread of the load that publishes.
        case publisher
        case redis
        case clients
    }

    let owner: Owner
    let number: Int
    /// Where it runs, or ran last.
    private(set) var core: Core
    private var use = RecentUse()
    /// The same with the time that it waited for it.
    private var demand = RecentUse()
    private var expected = ExpectedUse()
    private var readyAt = Simulator.origin
    private(set) var ranAt = Simulator.origin
    private let warmth: Warmth
    /// Whether it has not run since it was woken.
    var hasSlept = false
    /// Its standing on its core.
    var fair = FairShare()
    /// CPU time that it has to spend before its work goes on.
    var debt = TimeSpan.zero
    private unowned let processors: Processors
    private var service: SpreadDraws
    private var waking: SpreadDraws
    private var waiting: [() -> Work] = []
    private var current: Work?
    private var progress: Int64 = 0
    private var sliceEnd: Int64 = 0
    private var isAwake = false

    init(
        _ processors: Processors, _ owner: Owner, number: Int, core: Core, warmth: Warmth, service: SpreadDraws,
        waking: SpreadDraws
    ) {
        self.processors = processors
        self.owner = owner
        self.number = number
        self.core = core
        self.warmth = warmth
        self.service = service
        self.waking = waking
    }

    /// Gives it a piece of work; `begin` is called when the thread has a core and gets to it.
    ///
    /// - Parameter call: What wakes it, if it sleeps.
    func submit(_ call: WakeUp, _ begin: @escaping () -> Work) {
        waiting.append(begin)
        guard !isAwake else { return }
        isAwake = true
        processors.wake(self, call)
    }

    /// How cold its caches are.
    func coldness(at now: MonotonicInstant) -> Coldness { Coldness(after: now - warmth.ranAt) }

    /// It waits for its core from now on.
    func waits(at now: MonotonicInstant) { readyAt = now }

    /// It gets its core.
    func starts(at now: MonotonicInstant) { demand.add(now - readyAt, at: now) }

    /// It has run for a while until now.
    func ran(_ length: TimeSpan, until now: MonotonicInstant) {
        ranAt = now
        warmth.ranAt = now
        use.add(length, at: now)
        demand.add(length, at: now)
        core.use.add(length, at: now)
    }

    /// It goes to sleep.
    func sleeps(at now: MonotonicInstant) {
        expected.note(used: use.thousandths(at: now), wanted: demand.thousandths(at: now))
    }

    /// The CPU time that it had lately, in thousandths of one core.
    func used(at now: MonotonicInstant) -> Int64 { use.thousandths(at: now) }

    /// What it is expected to use when it runs again, in thousandths of one core.
    func expectedUse(at now: MonotonicInstant) -> Int64 { max(expected.thousandths, used(at: now)) }

    /// Goes to another core, with what it uses.
    func move(to other: Core, at now: MonotonicInstant) {
        guard other !== core else { return }
        core.use.part(from: use, at: now)
        other.use.join(use, at: now)
        core = other
    }

    /// The thread in whose name something is done now.
    var acting: SimulatedThread? { processors.acting }

    /// Does something in the name of a thread of the same machine: whoever is woken by that is woken by that thread.
    func perform(as thread: SimulatedThread?, _ body: () -> Void) { processors.perform(as: thread, body) }

    /// The next factor for the length of a piece of work, in thousandths.
    func nextFactor() -> Int64 { service.next() }

    /// `span` times the next factor of wake-ups.
    func nextWaking(_ span: TimeSpan) -> TimeSpan { waking.next(span) }

    /// Begins a slice of at most `limit`; returns its length.
    func beginSlice(at now: MonotonicInstant, limit: TimeSpan) -> TimeSpan {
        let owed = debt
        debt = .zero
        if current == nil, !waiting.isEmpty {
            current = waiting.removeFirst()()
            progress = 0
        }
        guard let work = current else { return owed }
        sliceEnd = min(work.length.nanoseconds, progress + limit.nanoseconds)
        if sliceEnd > progress, let end = work.firstWake(progress..<sliceEnd) {
            sliceEnd = min(sliceEnd, max(end, progress + 1))
        }
        work.slice(progress..<max(progress, sliceEnd), now + owed)
        return TimeSpan(nanoseconds: sliceEnd - progress) + owed
    }

    /// Returns whether there is more to do.
    func endSlice() -> Bool {
        progress = sliceEnd
        if let work = current, progress >= work.length.nanoseconds {
            current = nil
            work.done()
        }
        isAwake = current != nil || !waiting.isEmpty || debt > .zero
        return isAwake
    }
}
