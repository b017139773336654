internal import WSMCore
internal import WSMRecord

/// How late the load's own threads wake on this machine: as many as the plan has publishers, with nothing to do.
enum PacingProbe {
    /// More publishers than this are stood for by so many.
    private static let threadLimit = 64
    private static let interval = TimeSpan.milliseconds(2)

    /// Lets the threads wait for instants of their own, as the load does, over `span`.
    static func measure(publishers: Int, span: TimeSpan) async -> LatencyHistogram {
        let count = min(max(1, publishers), threadLimit)
        let clock = LoadClock(start: .now() + .milliseconds(5), warmup: .zero, duration: span)
        let lateness = Monitor(LatencyHistogram())
        let threads = (0..<count).map { number in
            DedicatedThread(name: "load-pace-\(number)") {
                var own = LatencyHistogram()
                // Evenly spread over the interval, as random arrivals are in the mean.
                var due = clock.start + interval.scaled(by: Double(number) / Double(count))
                while due < clock.end, clock.wait(until: due) {
                    own.record(.now() - due)
                    due = due + interval
                }
                let whole = own
                lateness.withLock { $0.add(whole) }
            }
        }
        let deadline = clock.end + .seconds(1)
        while MonotonicInstant.now() < deadline, !threads.allSatisfy(\.hasEnded) {
            try? await Task.sleep(nanoseconds: 2_000_000)
        }
        clock.stop()
        return lateness.withLock { $0 }
    }
}
