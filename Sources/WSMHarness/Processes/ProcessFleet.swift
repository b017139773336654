internal import Foundation
internal import NIOCore
internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMVerify

/// The clients of a run in processes of their own, each with its part of the plan.
///
/// What they receive stands in traces, and is told to observers of the run once the load has ended: the same calls with the
/// same instants as in one process.
final class ProcessFleet: RunFleet {
    /// What the run's observers are made with.
    struct Observers: Sendable {
        /// The observer of the event loop with this number.
        var make: @Sendable (_ loop: Int) -> DeliveryObserver
        /// Told before what was received up to `instant` is.
        var tellInstances: @Sendable (_ instant: MonotonicInstant) throws -> Void
        /// Waits until the run's own trace takes more.
        var waitForRoom: @Sendable () -> Void
    }

    struct Part: Sendable {
        var process: ChildProcess
        /// The file of what its clients have received, which has no name any more.
        var trace: FileHandle
    }

    let parts: [Part]
    let observers: Observers
    private let connected: Atomic<Int>
    /// How the run's observers keep the receipts over time.
    let timeline = Mutex<Timeline.Plan?>(nil)

    // MARK: Start

    /// Starts `count` processes; no client connects yet.
    ///
    /// - Parameter ports: Where each instance is found, on 127.0.0.1.
    static func start(
        _ count: Int, ports: [Int], processes: RunProcesses, observers: Observers
    ) async throws -> ProcessFleet {
        var parts: [Part] = []
        for index in 0..<count {
            let path = processes.path("clients-\(index)")
            let assignment = FleetAssignment(index: index, parts: count, ports: ports, trace: path)
            let name = count == 1 ? "the clients" : "clients \(index + 1) of \(count)"
            let (process, _) = try await processes.start(.clients(assignment), name: name)
            guard let trace = FileHandle(forReadingAtPath: path) else {
                throw HarnessError(.outputNotWritable, "cannot read \(path), which \(name) should have made")
            }
            unlink(path)
            parts.append(Part(process: process, trace: trace))
        }
        return ProcessFleet(parts, observers)
    }

    private init(_ parts: [Part], _ observers: Observers) {
        self.parts = parts
        self.observers = observers
        connected = Atomic(0)
    }

    // MARK: RunFleet

    /// As it was when the clients were last asked for their progress.
    var connectedCount: Int { connected.load(ordering: .relaxed) }

    func connectAll(_ plan: [FleetClient], startingAt start: MonotonicInstant) async throws {
        try await tellAll(.connect(startingAt: start))
    }

    func awaitConnected(deadline: MonotonicInstant) async throws {
        let patience = max(.zero, deadline - .now()) + .seconds(10)
        // Each is waited for: what is missing in one part must not hide what is missing in another.
        let failures = await withTaskGroup(of: (any Error)?.self) { tasks in
            for part in parts {
                tasks.addTask {
                    do {
                        _ = try await part.process.ask(.awaitConnected(deadline: deadline), deadline: patience)
                        return nil
                    } catch { return error }
                }
            }
            return await tasks.reduce(into: [any Error]()) { if let error = $1 { $0.append(error) } }
        }
        _ = try await progress()
        let missing = failures.compactMap { $0 as? ChildFailure }.filter(\.isMissingClients)
        if !missing.isEmpty {
            throw FleetError(code: .notAllConnected, message: missing.map(\.message).joined(separator: "; "))
        }
        if let failure = failures.first { throw failure }
    }

    func startMeasuring(at instant: MonotonicInstant, timeline plan: Timeline.Plan) async throws {
        timeline.withLock { $0 = plan }
        try await tellAll(.startMeasuring(at: instant, width: plan.width))
    }

    func tell(_ mark: FaultMark) async throws { try await tellAll(.tell(mark)) }

    func churn(_ plan: [FleetChurn]) async throws {
        for (index, part) in parts.enumerated() {
            let mine = plan.filter { Int($0.client) % parts.count == index }
            if !mine.isEmpty { _ = try await part.process.ask(.churn(mine)) }
        }
    }

    func disturb(_ disturbance: FleetDisturbance) async throws {
        for (index, part) in parts.enumerated() {
            let mine = disturbance.clients.filter { Int($0) % parts.count == index }
            guard !mine.isEmpty else { continue }
            _ = try await part.process.ask(
                .disturb(FleetDisturbance(disturbance.kind, of: mine, at: disturbance.at)))
        }
    }

    func releaseSlowReaders() async { try? await tellAll(.releaseSlowReaders) }

    func sessionsBehind(_ instant: MonotonicInstant) async throws -> Int {
        try await askAll(.sessionsBehind(instant)).reduce(0) { sum, reply in
            if case .count(let count) = reply { sum + count } else { sum }
        }
    }

    func progress() async throws -> [ObserverProgress] {
        var loops: [ObserverProgress] = []
        var open = 0
        for case .fleetProgress(let part) in try await askAll(.fleetProgress) {
            open += part.connected
            loops += part.loops.map {
                ObserverProgress(
                    received: $0.received, p50: $0.p50, p99: $0.p99, recentP50: $0.recentP50, recentP99: $0.recentP99,
                    overtaken: $0.overtaken, stages: StageMeans(StageHistograms()))
            }
        }
        connected.store(open, ordering: .relaxed)
        return loops
    }

    func awaitCloses() async { try? await tellAll(.awaitCloses) }

    func endSessions(deadline: MonotonicInstant) async {
        try? await tellAll(.endSessions(deadline: deadline), deadline: max(.zero, deadline - .now()) + .seconds(10))
    }

    func statistics() async -> FleetStatistics {
        var sum = FleetStatistics()
        for case .statistics(let part) in (try? await askAll(.statistics)) ?? [] { sum.add(part) }
        return sum
    }

    func makeWatch() async throws -> any GeneratorWatching { FleetWatch(fleet: self) }

    func usage() async -> [PartUsage] {
        parts.map { PartUsage(pid: $0.process.pid, cpuSeconds: ProcessUsage.cpuSeconds(of: $0.process.pid) ?? 0) }
    }

    /// Each process sees to its own trace.
    func handOverTrace(olderThan instant: MonotonicInstant) async {}
    /// The observers close their lanes when they have been told all.
    func closeTrace() async {}

    // MARK: Asking

    private func tellAll(_ request: ChildRequest, deadline: TimeSpan = .seconds(10)) async throws {
        _ = try await askAll(request, deadline: deadline)
    }

    /// The answers of all processes that still run; one that has ended on its own is told of in the result.
    func askAll(_ request: ChildRequest, deadline: TimeSpan = .seconds(10)) async throws -> [ChildReply] {
        try await withThrowingTaskGroup(of: ChildReply?.self) { tasks in
            for part in parts {
                tasks.addTask {
                    do {
                        return try await part.process.ask(request, deadline: deadline)
                    } catch {
                        if part.process.end != nil { return nil }
                        throw error
                    }
                }
            }
            return try await tasks.reduce(into: []) { if let reply = $1 { $0.append(reply) } }
        }
    }

    func failures() -> [PartFailure] { parts.compactMap { PartFailure($0.process) } }
}
