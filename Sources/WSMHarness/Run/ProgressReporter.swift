internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// Tells how far a run has come, a few times a second, while the run waits for something.
final class ProgressReporter: Sendable {
    private struct State {
        /// As it was last told.
        var progress: RunProgress
        var began = MonotonicInstant.now()
        var lastReport = MonotonicInstant(nanoseconds: 0)
        var rates = ProgressRates()
        var faults: FaultRunner?
        /// What happened since the last report.
        var notes: [String] = []
    }

    private static let interval = TimeSpan.milliseconds(200)
    private static let step = TimeSpan.milliseconds(20)

    private let context: RunContext
    private let report: @Sendable (RunProgress) -> Void
    private let state: Mutex<State>

    init(context: RunContext, report: @escaping @Sendable (RunProgress) -> Void) {
        self.context = context
        self.report = report
        state = Mutex(State(progress: RunProgress(name: context.scenario.name, phase: .starting)))
    }

    func begin(_ phase: RunProgress.Phase, total: TimeSpan) {
        let progress = state.withLock { state in
            state.began = .now()
            state.progress.phase = phase
            state.progress.elapsed = .zero
            state.progress.total = total
            state.progress.clientsConnected = context.fleet.connectedCount
            state.progress.clientsPlanned = context.plan.clients.count
            state.progress.note = nil
            return state.progress
        }
        report(progress)
    }

    /// Tells of these faults from now on.
    func watch(_ faults: FaultRunner?) { state.withLock { $0.faults = faults } }

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

    /// Reports while `body` runs, which waits for something that does not report itself.
    func reporting<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        let ticking = Task {
            while !Task.isCancelled { try await pause() }
        }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        ticking.cancel()
        // Nobody may ask the fleet any more once it is finished.
        _ = await ticking.result
        return try result.get()
    }

    private func tell() async throws {
        let parts = try await context.fleet.progress()
        let glance = await context.system.cluster?.glance()
        let published = glance?.submitted ?? logged
        let received = parts.reduce(0) { $0 + $1.received }
        let now = MonotonicInstant.now()
        var (progress, faults, notes) = state.withLock { state in
            state.lastReport = now
            state.rates.note(published: published, received: Int(received), at: now)
            state.progress.elapsed = now - state.began
            state.progress.clientsConnected = context.fleet.connectedCount
            state.progress.published = published
            state.progress.received = Int(received)
            (state.progress.publishedPerSecond, state.progress.receivedPerSecond) = state.rates.perSecond
            defer { state.notes = [] }
            return (state.progress, state.faults, state.notes)
        }
        // Of several loops the slowest figure: a progress line, not a result.
        progress.p50 = parts.compactMap(\.p50).max()
        progress.p99 = parts.compactMap(\.p99).max()
        progress.recentP50 = parts.compactMap(\.recentP50).max()
        progress.recentP99 = parts.compactMap(\.recentP99).max()
        if progress.p50 != nil { progress.stages = stageMeans(parts) }
        if let glance { progress.instances = context.board.instances(glance.states) }
        if let faults { progress.faults = faults.progress }
        progress.signs = signs(parts, glance)
        let told = progress
        state.withLock { state in
            // A phase that has begun meanwhile has been told.
            guard state.progress.phase == told.phase else { return }
            state.progress = told
        }
        report(progress)
        for note in notes {
            progress.note = note
            report(progress)
        }
    }

    /// What the publishers' logs say that was submitted.
    private var logged: Int {
        context.publishers.logs.lazy.filter { !$0.isFence }.reduce(0) { sum, log in
            sum + log.submittedCount(channel: self.context.publishers.number(of: .events) ?? 0)
        }
    }

    private func signs(_ parts: [ObserverProgress], _ glance: ClusterGlance?) -> RunProgress.Signs {
        var signs = RunProgress.Signs()
        signs.deliveriesOvertaken = Int(parts.reduce(0) { $0 + $1.overtaken })
        for counts in glance?.counts ?? [] {
            signs.publishesFailed += counts.failed
            signs.updatesRefused += counts.queueRefused
            signs.clientsEvicted += counts.evicted
        }
        return signs
    }

    private func stageMeans(_ parts: [ObserverProgress]) -> StageMeans {
        var means = StageMeans(StageHistograms())
        for part in parts { means.add(part.stages) }
        for probe in context.probes { means.add(probe.stageRecorder.means) }
        return means
    }
}

/// Rates over the last second, from counts that are read a few times in it.
struct ProgressRates: Sendable {
    private struct Reading {
        var at: MonotonicInstant
        var published: Int
        var received: Int
    }

    private static let window = TimeSpan.seconds(1)
    private var readings: [Reading] = []

    mutating func note(published: Int, received: Int, at instant: MonotonicInstant) {
        readings.append(Reading(at: instant, published: published, received: received))
        // The newest that is a window old stays, so that there is always one to compare with.
        while readings.count > 2, instant - readings[1].at >= Self.window { readings.removeFirst() }
    }

    /// Messages and deliveries a second; zero before the second reading.
    var perSecond: (published: Double, received: Double) {
        guard let first = readings.first, let last = readings.last, last.at > first.at else { return (0, 0) }
        let seconds = (last.at - first.at).seconds
        return (
            max(0, Double(last.published - first.published) / seconds),
            max(0, Double(last.received - first.received) / seconds)
        )
    }
}
