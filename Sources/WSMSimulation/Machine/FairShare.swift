import WSMCore

/// How far a thread has come in its core's virtual time, in nanoseconds.
///
/// I. Stoica and H. Abdel-Wahab: Earliest Eligible Virtual Deadline First (1995), as `kernel/sched/fair.c` of Linux has it; all threads
/// have the same weight.
struct FairShare {
    /// CPU time that it has had, on the core's scale.
    var runtime: Int64 = 0
    /// Until then it should have had its slice.
    var deadline: Int64 = 0
    /// What it was owed when it went to sleep or was moved.
    var lag: Int64 = 0
    /// Whether it sleeps and has had more than its share: it counts on its core until the others have caught up (`DELAY_DEQUEUE`).
    var isLeaving = false
}

extension Core {
    // MARK: Virtual time

    /// The mean of what all have had that are queued here; who has had more is not eligible.
    func virtualTime(at now: MonotonicInstant) -> Int64 {
        var (sum, count) = (Int64(0), Int64(0))
        if let runtime = runningTime(at: now) { (sum, count) = (runtime, 1) }
        for thread in waiting { sum += thread.fair.runtime }
        for thread in leaving { sum += thread.fair.runtime }
        count += Int64(waiting.count + leaving.count)
        return count > 0 ? sum / count : lastTime
    }

    /// What the one that runs has had up to now.
    private func runningTime(at now: MonotonicInstant) -> Int64? {
        guard let running else { return nil }
        return running.fair.runtime + (now - sliceBegan).nanoseconds
    }

    // MARK: Coming

    /// A thread that was not queued here is queued now, as much behind or before the others as it was when it left.
    ///
    /// On a core that wakes up the last comes first.
    func enqueue(_ thread: SimulatedThread, slice: TimeSpan, at now: MonotonicInstant) {
        let time = virtualTime(at: now)
        let others = Int64(load + leaving.count)
        let lag = others > 0 ? thread.fair.lag * (others + 1) / others : 0
        thread.fair.runtime = time - lag
        thread.fair.deadline = thread.fair.runtime + slice.nanoseconds
        if running == nil { waiting.insert(thread, at: 0) } else { waiting.append(thread) }
    }

    /// A thread wakes that has not left yet; what it was owed is void meanwhile (`DELAY_ZERO`).
    func reclaim(_ thread: SimulatedThread, slice: TimeSpan, at now: MonotonicInstant) {
        let time = virtualTime(at: now)
        leaving.removeAll { $0 === thread }
        thread.fair.isLeaving = false
        if thread.fair.runtime < time {
            thread.fair.runtime = time
            thread.fair.deadline = time + slice.nanoseconds
        }
        waiting.append(thread)
    }

    // MARK: Going

    /// The one that runs goes to sleep.
    func leave(_ thread: SimulatedThread, slice: TimeSpan, at now: MonotonicInstant) {
        let time = virtualTime(at: now)
        lastTime = time
        running = nil
        if thread.fair.runtime > time {
            thread.fair.isLeaving = true
            leaving.append(thread)
        } else {
            thread.fair.lag = min(time - thread.fair.runtime, 2 * slice.nanoseconds)
        }
    }

    /// Whether one that was just queued takes the core from the one that runs, which is eligible no more.
    func interrupts(_ thread: SimulatedThread, at now: MonotonicInstant) -> Bool {
        let time = virtualTime(at: now)
        guard let runtime = runningTime(at: now), runtime > time else { return false }
        return Self.first(of: waiting, at: time).map { waiting[$0] === thread } ?? false
    }

    /// The place of the eligible one with the earliest deadline; of equals the first.
    private static func first(of threads: [SimulatedThread], at time: Int64) -> Int? {
        threads.indices.filter { threads[$0].fair.runtime <= time }
            .min { threads[$0].fair.deadline < threads[$1].fair.deadline }
    }

    /// Takes the one that runs next from the queue; those that are leaving and come before it are gone.
    ///
    /// Who has had the least is eligible at any time, so that one is found as long as there are any.
    func next(at now: MonotonicInstant) -> SimulatedThread? {
        while true {
            let time = virtualTime(at: now)
            lastTime = time
            let ready = Self.first(of: waiting, at: time)
            guard let gone = Self.first(of: leaving, at: time),
                ready.map({ leaving[gone].fair.deadline < waiting[$0].fair.deadline }) ?? true
            else { return ready.map { waiting.remove(at: $0) } }
            let thread = leaving.remove(at: gone)
            thread.fair.isLeaving = false
            thread.fair.lag = 0
        }
    }
}
