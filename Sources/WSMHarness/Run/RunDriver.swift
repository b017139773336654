internal import NIOCore
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMRedis
internal import WSMScenario
internal import WSMVerify

/// Takes a run through its phases: connect, fence, warm-up, measured window, drain, fence, close.
///
/// Every wait has a deadline, and ends early when the run is interrupted; what is not there by then shows in the result.
struct RunDriver: Sendable {
    let context: RunContext
    let interruption: Interruption
    let progress: @Sendable (RunProgress) -> Void

    /// For what is on its way when nothing more can be published.
    private static let lastReceipts = TimeSpan.milliseconds(500)

    func drive() async throws -> Measurement {
        let reporter = ProgressReporter(context: context, report: progress)
        var measurement = Measurement(context.subject)
        try await calibrate(reporter, &measurement)
        try await connect(reporter, &measurement)
        let start = MonotonicInstant.now() + .milliseconds(100)
        let clock = LoadClock(start: start, warmup: context.scenario.warmup, duration: context.scenario.duration)
        let load = try await startLoad(clock)
        measurement.clock = clock
        try await measure(load, clock, reporter, &measurement)
        try await drain(load, reporter, &measurement)
        try await close(load, clock, reporter, &measurement)
        return measurement
    }

    // MARK: Phases

    private func connect(_ reporter: ProgressReporter, _ measurement: inout Measurement) async throws {
        let plan = try context.plan.fleetClients(context.security)
        let last = plan.map(\.connectAt).max() ?? .zero
        guard !plan.isEmpty else { return }
        reporter.begin(.connecting, total: last)
        let start = MonotonicInstant.now() + .milliseconds(20)
        try await context.fleet.connectAll(plan, startingAt: start)
        try await awaitConnected(until: start + last + Patience.connect.normal, reporter, &measurement)
        try await fence(.startFence, since: MonotonicInstant(nanoseconds: 0), reporter)
        measurement.neverSubscribed = try await context.fleet.sessionsBehind(MonotonicInstant(nanoseconds: 0))
        if !interruption.isRequested { try await context.checkTargetIsHeard(measurement.neverSubscribed) }
    }

    /// Waits until all clients have connected; an interrupted run does not wait for the rest.
    private func awaitConnected(
        until deadline: MonotonicInstant, _ reporter: ProgressReporter, _ measurement: inout Measurement
    ) async throws {
        let fleet = context.fleet
        let settled = Monitor(false)
        let waiting = Task {
            defer { settled.update { $0 = true } }
            try await fleet.awaitConnected(deadline: deadline)
        }
        while !settled.withLock({ $0 }) {
            if interruption.isRequested { return waiting.cancel() }
            try await reporter.pause()
        }
        do {
            try await waiting.value
        } catch let error as FleetError where error.code == .notAllConnected {
            measurement.connectFailure = error.message
        } catch is CancellationError {}
    }

    private func startLoad(_ clock: LoadClock) async throws -> any RunningLoad {
        for probe in context.probes { probe.startMeasuring(from: clock.measuredFrom) }
        try await context.fleet.startMeasuring(
            at: clock.measuredFrom, timeline: context.subject.timelinePlan(from: clock.measuredFrom))
        if !context.scenario.faults.isEmpty { try await context.fleet.tell(.expected) }
        let churn = context.plan.churn.map { FleetChurn(client: UInt32($0.client), at: clock.start + $0.at) }
        if !churn.isEmpty { try await context.fleet.churn(churn) }
        return try await context.startLoad(clock)
    }

    private func measure(
        _ load: any RunningLoad, _ clock: LoadClock, _ reporter: ProgressReporter, _ measurement: inout Measurement
    ) async throws {
        let sampler = await ResourceSampler(context.system, context.fleet)
        let watch = try await context.fleet.makeWatch()
        let faults = context.faultRunner(clock)
        faults?.begin { reporter.note($0) }
        reporter.watch(faults)
        reporter.begin(.warmup, total: context.scenario.warmup)
        try await wait(until: clock.measuredFrom, reporter)
        let before = await sampler.sample()
        await watch.begin()
        if context.system.cluster != nil { measurement.redisBefore = await redisState() }
        reporter.begin(.measuring, total: context.scenario.duration)
        try await wait(until: clock.end, reporter)
        if interruption.isRequested {
            load.stop()
            measurement.interrupted = true
        }
        measurement.generator = await watch.end()
        measurement.samples = (before, await sampler.sample())
        await faults?.finish(deadline: Patience.healing.left(interruption))
        measurement.faults = faults?.records ?? []
        measurement.isRedisGone = faults?.isRedisGone ?? false
        measurement.redisState = await redisState()
        if let redis = context.system.cluster?.redis {
            if redis.outlivesFaults { measurement.isRedisGone = false }
            if !measurement.isRedisGone { measurement.redisDied = await redis.hasDied() }
        }
    }

    private func drain(
        _ load: any RunningLoad, _ reporter: ProgressReporter, _ measurement: inout Measurement
    ) async throws {
        reporter.begin(.draining, total: .zero)
        await context.fleet.releaseSlowReaders()
        let began = MonotonicInstant.now()
        while MonotonicInstant.now() < Patience.drain.deadline(from: began, interruption) {
            let states = await context.system.cluster?.states() ?? []
            if load.hasEnded, !states.contains(where: \.isWorking) { break }
            try await reporter.pause()
        }
        load.stop()
        measurement.states = await context.system.cluster?.states() ?? []
        let mark = MonotonicInstant.now()
        // Without one order, a fence from one server says nothing of what is still on its way from another.
        let spread = context.scenario.orderSpread ?? .zero
        if measurement.isRedisGone {
            // Nothing can come any more but what is on its way.
            try await wait(until: mark + Self.lastReceipts, reporter)
        } else {
            try await fence(.endFence, since: mark + spread, reporter)
        }
        measurement.endOfLoad = .init(fencedFrom: mark, waitedUntil: .now())
        measurement.unfencedAtEnd = try await context.fleet.sessionsBehind(mark + spread)
    }

    private func close(
        _ load: any RunningLoad, _ clock: LoadClock, _ reporter: ProgressReporter, _ measurement: inout Measurement
    ) async throws {
        reporter.begin(.closing, total: .zero)
        measurement.failures = (await context.system.cluster?.failures() ?? []) + context.fleet.failures()
        measurement.shutdown = try await shutDownInstances(reporter, &measurement)
        await context.fleet.endSessions(deadline: .now() + Patience.close.left(interruption))
        measurement.fleet = await context.fleet.statistics()
        measurement.shutdown?.repeatedCloses = Int64(measurement.fleet.repeatedCloses)
        measurement.target = context.system.targetResult(clock: clock, measurement.fleet)
        measurement.loops = try await context.fleet.finish()
        try await context.system.cluster?.finishRecords()
        measurement.counts = await context.system.cluster?.counts() ?? []
        measurement.load = load.figures
    }

    /// Stops the instances while their clients are connected: each should get one close.
    ///
    /// `nil` with a target, which goes on.
    private func shutDownInstances(
        _ reporter: ProgressReporter, _ measurement: inout Measurement
    ) async throws -> SettlementContext.Shutdown? {
        guard let cluster = context.system.cluster else { return nil }
        await context.fleet.awaitCloses()
        var shutdown = SettlementContext.Shutdown(at: .now())
        let instances = 0..<cluster.instanceCount
        for instance in instances { context.board.note(.stopping, instance) }
        measurement.stopReports = try await reporter.reporting {
            try await cluster.stopInstances(deadline: Patience.stop.left(interruption))
        }
        for instance in instances { context.board.note(.stopped, instance) }
        shutdown.leftovers = measurement.stopReports.enumerated().map { index, report in
            .init(instance: UInt16(index), clients: report.clientsCut, queued: report.updatesLeft)
        }
        // What the instances have sent is on its way to the clients, and Redis notices a closed connection when it gets to it.
        let stopped = MonotonicInstant.now()
        while context.fleet.connectedCount > 0,
            MonotonicInstant.now() < Patience.lastCloses.deadline(from: stopped, interruption)
        { try await reporter.pause() }
        // A Redis that is not the run's own may have other subscribers.
        if let redis = cluster.redis, !redis.servers.isEmpty {
            let inspection = RedisInspection(
                urls: redis.urls, isSharded: redis.isSharded, loop: context.questions.any())
            shutdown.subscriptions = await inspection.subscriptionsLeft(
                deadline: .now() + Patience.close.left(interruption))
        }
        return shutdown
    }

    // MARK: Waits

    private func wait(until instant: MonotonicInstant, _ reporter: ProgressReporter) async throws {
        while MonotonicInstant.now() < instant, !interruption.isRequested {
            try await reporter.pause(noLaterThan: instant)
        }
    }

    /// Publishes fences until every open session has received one that was published since `instant`.
    private func fence(
        _ patience: Patience, since instant: MonotonicInstant, _ reporter: ProgressReporter
    ) async throws {
        let began = MonotonicInstant.now()
        var interval = TimeSpan.milliseconds(50)
        while try await context.fleet.sessionsBehind(instant) > 0 {
            guard MonotonicInstant.now() < patience.deadline(from: began, interruption),
                !context.system.refusesFences
            else { return }
            await context.publishFences()
            let next = MonotonicInstant.now() + interval
            while MonotonicInstant.now() < next, try await context.fleet.sessionsBehind(instant) > 0 {
                try await reporter.pause(noLaterThan: .now() + .milliseconds(5))
            }
            interval = min(interval.scaled(by: 2), .seconds(1))
        }
    }

    private func redisState() async -> RedisInspection.State? {
        if case .target(let target) = context.system { return target.watch.redisState }
        guard let redis = context.system.cluster?.redis else { return nil }
        return await RedisInspection(urls: redis.urls, loop: context.questions.any()).state()
    }
}
