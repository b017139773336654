internal import WSMCore

extension MachineCalibration {
    /// What it takes to wake a thread, and how the machine's cores are given out; times in nanoseconds.
    package struct Waking: Codable, Equatable, Sendable {
        /// What was measured after one time of sleep.
        package struct Step: Codable, Equatable, Sendable {
            /// How long the core had slept.
            package var idle: Int64
            /// From the waker's call until the thread ran.
            package var latency: Int64
            /// CPU time of the waker, beyond that of a write which wakes nobody.
            package var waker: Int64
            /// CPU time of the woken thread, beyond that after the shortest sleep.
            package var woken: Int64
        }

        /// By rising ``Step/idle``; none on a machine with one core.
        package var steps: [Step] = []
        /// How measured latencies lay around those of the steps.
        package var spread: [Residual] = []
        /// The use of a core, in thousandths, below which a thread that sleeps beside it is woken there, behind its waker; 0: never.
        package var packedBelow: Int64 = 0
        /// The use below which a thread that sleeps there is.
        package var keptBelow: Int64 = 0
        /// How long a thread keeps its core while others wait for it.
        package var slice: Int64
        /// How often the system looks whether a thread that waits can have another core.
        package var tick: Int64

        /// With what the system tells of itself, and no steps.
        init() {
            slice = SchedulerFigures.slice.nanoseconds
            tick = SchedulerFigures.tick.nanoseconds
        }

        /// What is wrong with it; `nil`: nothing.
        var fault: String? {
            let times = steps.flatMap { [$0.idle, $0.latency, $0.waker, $0.woken] }
            let most = TimeSpan.seconds(60).nanoseconds
            guard times.allSatisfy({ (0...most).contains($0) }) else { return "has a time that is not from 0 to 60 s" }
            guard zip(steps, steps.dropFirst()).allSatisfy({ $0.idle < $1.idle }) else {
                return "has steps that do not rise"
            }
            guard (0...1000).contains(packedBelow), (0...1000).contains(keptBelow) else {
                return "has a packedBelow or a keptBelow that is not from 0 to 1000"
            }
            guard (1000...most).contains(slice), (1000...most).contains(tick) else {
                return "has a slice or a tick that is not from 1 µs to 60 s"
            }
            return nil
        }
    }
}
