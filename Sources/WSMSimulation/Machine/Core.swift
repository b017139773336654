import WSMCore

/// One core of a simulated machine: a thread that runs, and those that wait for it.
final class Core {
    /// The thread that has it; `nil` while it sleeps, or is being woken.
    var running: SimulatedThread?
    /// Threads that wait for it; which of them is next, and of equals the first, ``next(at:)`` tells.
    var waiting: [SimulatedThread] = []
    /// Threads that sleep and still count (``FairShare/isLeaving``).
    var leaving: [SimulatedThread] = []
    /// The virtual time when nobody was queued any more.
    var lastTime: Int64 = 0
    /// Up to when what the one that runs has had is counted.
    var sliceBegan = Simulator.origin
    /// What was lately used by the threads that ran here last.
    var use = RecentUse()
    /// Since when it has had nothing to do; `nil` while it has, or is being woken.
    var idleSince: MonotonicInstant?
    /// How often it looks for work when it has none.
    var odds = SearchOdds()
    /// How often in turn a tick found nobody that it could have: those who wait on others were hot (`nr_balance_failed`).
    var failures = 0
    /// Whether one of those that wait takes it as soon as it is looked at who runs.
    var isInterrupted = false
    /// Whether a look at who waits is on the agenda.
    var isWatched = false

    /// How far its ticks are before those of the first core, in nanoseconds.
    let phase: Int64

    init(idleSince: MonotonicInstant, phase: Int64) {
        self.idleSince = idleSince
        self.phase = phase
    }

    var isIdle: Bool { idleSince != nil }

    /// Whether nobody waits for the one that runs to end; whoever interrupts it is soon gone.
    var isAlone: Bool { waiting.isEmpty || isInterrupted }

    /// Threads that want it.
    var load: Int { waiting.count + (running == nil ? 0 : 1) }
}
