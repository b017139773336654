internal import Foundation
internal import NIOCore
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMVerify

/// The clients of a run in this process: on sockets with event loops of their own, or on the instances' loops.
struct LocalFleet: RunFleet {
    let fleet: any Fleet<DeliveryObserver>
    /// The event loops of the clients' sockets; none without sockets.
    let loops: [any EventLoop]
    /// The event loops of the instances of this process.
    let instanceLoops: [any EventLoop]
    private let threads: [Int]

    init(
        _ fleet: any Fleet<DeliveryObserver>, loops: [any EventLoop], instanceLoops: [any EventLoop]
    ) async throws {
        self.fleet = fleet
        self.loops = loops
        self.instanceLoops = instanceLoops
        threads = try await ProcessUsage.threads(of: loops)
    }

    var connectedCount: Int { fleet.connectedCount }

    func connectAll(_ plan: [FleetClient], startingAt start: MonotonicInstant) async throws {
        try await fleet.connectAll(plan, startingAt: start)
    }

    func awaitConnected(deadline: MonotonicInstant) async throws {
        try await fleet.awaitConnected(deadline: deadline)
    }

    func startMeasuring(at instant: MonotonicInstant, timeline: Timeline.Plan) async throws {
        _ = try await fleet.withSinks { $0.startMeasuring(at: instant, timeline: timeline) }
    }

    func tell(_ mark: FaultMark) async throws { _ = try await fleet.withSinks { $0.tell(mark) } }

    func churn(_ plan: [FleetChurn]) async throws { try fleet.churn(plan) }

    func disturb(_ disturbance: FleetDisturbance) async throws { try fleet.disturb(disturbance) }

    func releaseSlowReaders() async { fleet.releaseSlowReaders() }

    func sessionsBehind(_ instant: MonotonicInstant) async throws -> Int {
        try await fleet.withSinks { $0.openSessions(behind: instant) }.reduce(0, +)
    }

    func progress() async throws -> [ObserverProgress] { try await fleet.withSinks { $0.progress(now: .now()) } }

    func awaitCloses() async { await fleet.awaitCloses() }

    func endSessions(deadline: MonotonicInstant) async { await fleet.endSessions(deadline: deadline) }

    func statistics() async -> FleetStatistics { await fleet.statistics() }

    func finish() async throws -> [LoopRecord] { try await fleet.finish().map { $0.snapshot() } }

    func makeWatch() async throws -> any GeneratorWatching {
        var sample: (@Sendable (Int) async -> ReceiveBuffers)?
        if !loops.isEmpty {
            let fleet = self.fleet
            sample = { limit in await fleet.sampleReceiveBuffers(limit: limit) }
        }
        return try await GeneratorWatch(clientLoops: loops, instanceLoops: instanceLoops, sampleBuffers: sample)
    }

    /// By the threads of the clients' loops, since other parts of the run share this process.
    func usage() async -> [PartUsage] {
        let known = ProcessUsage.threads()
        return [PartUsage(pid: getpid(), cpuSeconds: threads.reduce(0) { $0 + (known[$1]?.cpuSeconds ?? 0) })]
    }

    func handOverTrace(olderThan instant: MonotonicInstant) async {
        _ = try? await fleet.withSinks { $0.trace?.handOver(olderThan: instant) }
    }

    func closeTrace() async {
        // It fails only when a loop was shut down, and then its lane is not closed, which the outcome tells.
        _ = try? await fleet.withSinks { $0.trace?.close() }
    }

    /// Clients of the run's own process cannot end alone.
    func failures() -> [PartFailure] { [] }
}
