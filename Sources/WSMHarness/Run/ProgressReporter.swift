internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// Tells how far a run has come, a few times a second, while the run waits for something.
final class ProgressReporter: Sendable {
    private struct State {
        var phase = RunProgress.Phase.starting
        var began = MonotonicInstant.now()
        var total = TimeSpan.zero
        var lastReport = MonotonicInstant(nanoseconds: 0)
        var lastReceived: Int64 = 0
        /// What happened since the last report.
        var notes: [String] = []
    }

    private static let interval = TimeSpan.milliseconds(200)
    private static let step = TimeSpan.milliseconds(20)

    private let context: RunContext
    private let report: @Sendable (RunProgress) -> Void
    private let state = Mutex(State())

    init(context: RunContext, report: @escaping @Sendable (RunProgress) -> Void) {
        self.context = context
        self.report = report
    }

    func begin(_ phase: RunProgress.Phase, total: TimeSpan) {
        state.withLock { state in
            state.phase = phase
            state.began = .now()
            state.total = total
        }
        report(
            RunProgress(
                phase: phase, total: total, clientsConnected: context.fleet.connectedCount,
                clientsPlanned: context.plan.clients.count))
    }

    /// Something happened that is worth a line of its own: told with the next report, which comes soon.
    ///
    /// From any thread.
    func note(_ text: String) { state.withLock { $0.notes.append(text) } }

    /// Waits for a moment, and reports when the last report is a while ago.
    func pause(noLaterThan instant: MonotonicInstant = MonotonicInstant(nanoseconds: .max)) async throws {
        let now = MonotonicInstant.now()
        let span = min(Self.step, max(.microseconds(500), instant - now))
        try await Task.sleep(nanoseconds: UInt64(span.nanoseconds))
        let isDue = state.withLock { state in
            guard now - state.lastReport >= Self.interval || !state.notes.isEmpty else { return false }
            return true
        }
        if isDue { try await tell() }
    }

    private func tell() async throws {
        let parts = try await context.fleet.progress()
        let received = parts.reduce(0) { $0 + $1.received }
        let logged = context.publishers.logs.lazy.filter { !$0.isFence }.reduce(0) { sum, log in
            sum + log.submittedCount(channel: context.publishers.number(of: .events) ?? 0)
        }
        let published = await context.system.cluster?.submitted() ?? logged
        let now = MonotonicInstant.now()
        let (snapshot, rate) = state.withLock { state in
            let seconds = (now - state.lastReport).seconds
            let rate = seconds > 0 ? Double(received - state.lastReceived) / seconds : 0
            state.lastReport = now
            state.lastReceived = received
            defer { state.notes = [] }
            return (state, rate)
        }
        // Of several loops the slowest figure: a progress line, not a result.
        var progress = RunProgress(
            phase: snapshot.phase, elapsed: now - snapshot.began, total: snapshot.total,
            clientsConnected: context.fleet.connectedCount, clientsPlanned: context.plan.clients.count,
            published: published, received: Int(received), ratePerSecond: rate,
            p50: parts.compactMap(\.p50).max(), p99: parts.compactMap(\.p99).max())
        if progress.p50 != nil { progress.stages = stageMeans(parts) }
        report(progress)
        for note in snapshot.notes {
            progress.note = note
            report(progress)
        }
    }

    private func stageMeans(_ parts: [ObserverProgress]) -> StageMeans {
        var means = StageMeans(StageHistograms())
        for part in parts { means.add(part.stages) }
        for probe in context.probes { means.add(probe.stageMeans) }
        return means
    }
}
