internal import NIOCore
internal import WSMCore
internal import WSMRecord

/// Watches event loops for stalls: a task that should run every ten milliseconds notes how late it came.
final class StallMonitor: Sendable {
    private static let interval = TimeSpan.milliseconds(10)

    private let lateness = Monitor(LatencyHistogram())
    private let stopped = Monitor(false)

    init(_ loops: [any EventLoop]) {
        for loop in loops { schedule(on: loop, due: .now() + Self.interval) }
    }

    func stop() { stopped.update { $0 = true } }

    var stalls: LatencyHistogram { lateness.withLock { $0 } }

    private func schedule(on loop: any EventLoop, due: MonotonicInstant) {
        _ = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(max(0, due.nanoseconds)))) { [weak self] in
            guard let self, !self.stopped.withLock({ $0 }) else { return }
            let now = MonotonicInstant.now()
            self.lateness.withLock { $0.record(now - due) }
            self.schedule(on: loop, due: max(now, due) + Self.interval)
        }
    }
}
