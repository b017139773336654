internal import Foundation
internal import Synchronization
internal import WSMCore
internal import WSMRedis

extension ProcessCluster {
    func kill(_ instance: Int) async throws {
        let process = slots.withLock { $0[instance].process }
        await refresh()
        let used = ProcessUsage.cpuSeconds(of: process.pid) ?? 0
        let instant = MonotonicInstant.now()
        process.signal(SIGKILL)
        await process.awaitEnd(deadline: .now() + .seconds(5))
        guard process.end != nil else {
            throw HarnessError(.childFailed, "\(process.name), process \(process.pid), does not end when it is killed")
        }
        noteEnd(of: instance, at: instant, cpuSeconds: used)
    }

    func stop(_ instance: Int, deadline: TimeSpan) async throws {
        let process = slots.withLock { $0[instance].process }
        let instant = MonotonicInstant.now()
        let answer = try await process.ask(.stopInstance(deadline: deadline), deadline: deadline + .seconds(10))
        let used = ProcessUsage.cpuSeconds(of: process.pid) ?? 0
        if case .instanceStopped(let report) = answer { slots.withLock { $0[instance].counts = report.counts } }
        await process.finish(deadline: .now() + .seconds(5))
        noteEnd(of: instance, at: instant, cpuSeconds: used)
    }

    /// - Parameter instant: From here on it did nothing that can be relied on.
    private func noteEnd(of instance: Int, at instant: MonotonicInstant, cpuSeconds: Double) {
        let reservation = PortReservation(port: ports[instance])
        let (process, counts) = slots.withLock { slots in
            slots[instance].isEnded = true
            slots[instance].downSince = instant
            slots[instance].reservation = reservation
            return (slots[instance].process, slots[instance].counts)
        }
        lives[instance].probe.wentDown(at: instant)
        lives[instance].end(at: process.end?.at ?? .now(), counts: counts, cpuSeconds: cpuSeconds)
        processes.forget(process)
    }

    func pause(_ instance: Int) async throws { setPaused(instance, true).signal(SIGSTOP) }

    func resume(_ instance: Int) async throws { setPaused(instance, false).signal(SIGCONT) }

    private func setPaused(_ instance: Int, _ isPaused: Bool) -> ChildProcess {
        slots.withLock { slots in
            slots[instance].isPaused = isPaused
            return slots[instance].process
        }
    }

    func startAgain(_ instance: Int) async throws {
        let process = try await beginAgain(instance)
        let now = MonotonicInstant.now()
        lives[instance].probe.cameUp(at: now)
        let skipped = skipped(by: instance, until: now)
        lives[instance].count(skippedWhileDown: skipped)
        let isIdle = self.window.withLock { $0 } == nil
        slots.withLock { slots in
            let before = slots[instance].submittedBefore + slots[instance].submitted
            slots[instance] = Slot(process: process, loadHasEnded: isIdle, submittedBefore: before)
        }
        guard var window = window.withLock({ $0 }) else { return }
        window.from = now
        _ = try await process.ask(.startLoad(window))
    }

    /// While Redis does not answer it tries again for a while: an instance that comes back before its Redis is a common
    /// sight.
    private func beginAgain(_ instance: Int) async throws -> ChildProcess {
        let deadline = MonotonicInstant.now() + Self.startDeadline
        while true {
            do {
                let redis = try await links.redis(of: instance, redis)
                return try await Self.begin(
                    lives[instance], port: ports[instance], redis: redis, numbers, processes
                ).process
            } catch let error as HarnessError where error.code == .redisUnavailable {
                guard MonotonicInstant.now() < deadline else { throw error }
                try await Task.sleep(nanoseconds: 20_000_000)
            }
        }
    }

    /// What the load wanted of an instance in the measured window while it was down.
    func skipped(by instance: Int, until instant: MonotonicInstant) -> Int {
        guard let since = slots.withLock({ $0[instance].downSince }), let window = window.withLock({ $0 }) else {
            return 0
        }
        let first = max(since - window.start, window.warmup)
        return plan.count(of: instance, from: first, until: instant - window.start)
    }
}
