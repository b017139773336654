package import WSMCore

/// What it takes to wake a thread on a core that sleeps: the longer the core has slept, the more.
///
/// A core that has nothing to do stops, and in a virtual machine its host may run something else there: the next wake-up comes
/// later, and costs both sides more.
package struct WakeCurve: Hashable, Sendable {
    /// What was measured after one time of sleep.
    package struct Step: Hashable, Sendable {
        /// How long the core had slept.
        package var idle: TimeSpan
        /// From the waker's call until the thread runs.
        package var latency: TimeSpan
        /// What the wake-up costs the waker, in CPU time.
        package var waker: TimeSpan
        /// CPU time that the woken thread is charged before it is where it wants to be.
        package var woken: TimeSpan

        package init(idle: TimeSpan, latency: TimeSpan, waker: TimeSpan, woken: TimeSpan) {
            self.idle = idle
            self.latency = latency
            self.waker = waker
            self.woken = woken
        }

        fileprivate func between(_ other: Step, at idle: TimeSpan) -> Step {
            let (part, whole) = ((idle - self.idle).nanoseconds, (other.idle - self.idle).nanoseconds)
            func mix(_ low: TimeSpan, _ high: TimeSpan) -> TimeSpan {
                TimeSpan(nanoseconds: low.nanoseconds + (high.nanoseconds - low.nanoseconds) * part / max(1, whole))
            }
            return Step(
                idle: idle, latency: mix(latency, other.latency), waker: mix(waker, other.waker),
                woken: mix(woken, other.woken))
        }
    }

    /// By rising ``Step/idle``; empty: a wake-up takes no time.
    package var steps: [Step]
    /// A thread that another wakes is put on that one's core, where it waits for the other's end though its own sleeps, if nobody waits
    /// there yet and what runs there, with the woken one, lately used less than this, in thousandths of a core.
    ///
    /// Some systems leave cores asleep as long as they can do with fewer, so that their host can give them to others. 0: not so.
    package var packedBelow: Int64
    /// A thread whose own core that is stays there while what runs there lately used less than this.
    package var keptBelow: Int64

    package init(steps: [Step] = [], packedBelow: Int64 = 0, keptBelow: Int64 = 0) {
        self.steps = steps
        self.packedBelow = packedBelow
        self.keptBelow = keptBelow
    }

    /// What a wake-up takes after a sleep of `idle`; between two steps along a line.
    func after(_ idle: TimeSpan) -> Step {
        guard let first = steps.first, let last = steps.last else {
            return Step(idle: idle, latency: .zero, waker: .zero, woken: .zero)
        }
        guard let above = steps.firstIndex(where: { $0.idle >= idle }) else { return last }
        return above == 0 ? first : steps[above - 1].between(steps[above], at: idle)
    }
}
