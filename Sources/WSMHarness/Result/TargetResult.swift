internal import WSMCore

/// What a run saw of a target beside its deliveries.
package struct TargetResult: Codable, Hashable, Sendable {
    /// Publishes that failed or were not answered for, warm-up and fences among them, by reason.
    package var publishFailures: [String: Int]
    /// Sessions that the target closed with a close frame, and those that it dropped without one.
    package var sessionsClosed = 0
    package var sessionsDropped = 0
    /// Processes of `target.pids` that ended during the load.
    package var endedProcesses: [EndedProcess]

    /// A process and when it was seen to be gone.
    package struct EndedProcess: Codable, Hashable, Sendable {
        package var pid: Int32
        /// From the start of the load, in nanoseconds.
        package var atNanoseconds: Int64

        package init(pid: Int32, atNanoseconds: Int64) {
            self.pid = pid
            self.atNanoseconds = atNanoseconds
        }

        var at: TimeSpan { TimeSpan(nanoseconds: atNanoseconds) }
    }

    package init(publishFailures: [String: Int] = [:], endedProcesses: [EndedProcess] = []) {
        self.publishFailures = publishFailures
        self.endedProcesses = endedProcesses
    }
}
