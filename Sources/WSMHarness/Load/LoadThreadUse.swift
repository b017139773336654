internal import WSMCore

/// The CPU time of one thread of the load in the measured window; for that thread alone.
///
/// The thread says when it is about to do something: a thread that is late works on when the window is over.
struct LoadThreadUse {
    private let clock: LoadClock
    private let record: any LoadRecord
    private var before: TimeSpan?
    private var isReported = false

    init(_ clock: LoadClock, _ record: any LoadRecord) {
        self.clock = clock
        self.record = record
    }

    /// The thread is about to do something at `now`.
    mutating func note(_ now: MonotonicInstant) {
        if before == nil, now >= clock.measuredFrom { before = ThreadCPUTime.ofCurrentThread() }
        if now >= clock.end { end() }
    }

    /// Reports it, once; nothing where the thread did nothing in the window.
    mutating func end() {
        guard !isReported, let before, let now = ThreadCPUTime.ofCurrentThread() else { return }
        isReported = true
        record.used(now - before)
    }
}
