internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// Finds what the load generator itself can do here, just before the load: its own clients, loops and observers against a
/// ``NullServer``, and its own threads against the clock.
///
/// Some 450 ms in all, warm-up included.
struct Calibrator: Sendable {
    /// A plan that asks for fewer deliveries a second is not calibrated: at 5 µs each that is a fortieth of one core, which
    /// tells nothing about the run and would be the longest phase of a small one.
    static let leastDemand = 5000.0
    /// What the phases take together, for the progress display.
    static let length = TimeSpan.milliseconds(450)

    private enum Span {
        static let warmup = TimeSpan.milliseconds(50)
        static let single = TimeSpan.milliseconds(120)
        static let bulk = TimeSpan.milliseconds(60)
        static let trickle = TimeSpan.milliseconds(100)
        static let pacing = TimeSpan.milliseconds(100)
        static let drain = TimeSpan.milliseconds(500)
        static let connect = TimeSpan.seconds(2)
    }

    /// Connections of the null server in the phases that flood.
    private static let connections = 32
    private static let bulkFrames = 64
    private static let trickleInterval = TimeSpan.microseconds(1500)

    let plan: LoadPlan
    let run: UInt32

    /// Calibrates clients on sockets, on the fleet's own event loops.
    ///
    /// - Throws: when the null server cannot be had or the clients do not connect to it.
    func calibrate(on loops: [SocketLoop]) async throws -> Calibration {
        let server = try await NullServer.start(run: run, messageBytes: plan.messageBytes)
        do {
            let flood = try await flood(server, loops)
            let floor = try await trickle(server, loops)
            await server.shutDown()
            let pacing = await PacingProbe.measure(publishers: plan.publisherThreads, span: Span.pacing)
            return Calibration(
                deliveriesPerSecond: flood.single.perSecond, bulkDeliveriesPerSecond: flood.bulk.perSecond,
                cpuSecondsPerMillionDeliveries: flood.single.cpuSecondsPerMillion, latencyFloor: floor,
                pacing: pacing.summary)
        } catch {
            await server.shutDown()
            throw error
        }
    }

    // MARK: Throughput

    /// What the loops took in over a phase.
    struct Intake: Sendable {
        var deliveries: Int64 = 0
        var ran = TimeSpan.zero
        var loops = 1

        /// What all loops together take in when each that can has a CPU to itself.
        ///
        /// By the time for which they ran: what else holds the CPUs is watched during the run, and a glimpse of it here
        /// would say little.
        var perSecond: Double {
            let seconds = ran.seconds
            return seconds > 0 ? Double(deliveries) * Double(min(loops, AllowedCPUs.count)) / seconds : 0
        }

        var cpuSecondsPerMillion: Double { deliveries > 0 ? ran.seconds * 1e6 / Double(deliveries) : 0 }
    }

    private struct Reading: Sendable {
        var deliveries: Int64
        var schedule: ThreadSchedule?
    }

    private func flood(
        _ server: NullServer, _ loops: [SocketLoop]
    ) async throws -> (single: Intake, bulk: Intake) {
        let fleet = try await connect(Self.connections, on: loops, to: server)
        var sent = try await server.write(1, every: nil, until: .now() + Span.warmup).frames
        try await drain(fleet, sent)
        var intakes: [Intake] = []
        for (frames, span) in [(1, Span.single), (Self.bulkFrames, Span.bulk)] {
            let before = try await read(fleet)
            sent += try await server.write(frames, every: nil, until: .now() + span).frames
            intakes.append(intake(from: before, to: try await read(fleet)))
            try await drain(fleet, sent)
        }
        _ = try await fleet.finish()
        return (intakes[0], intakes[1])
    }

    private func read(_ fleet: ClientFleet<DeliveryObserver>) async throws -> [Reading] {
        try await fleet.withSinks { Reading(deliveries: $0.measuredDeliveries, schedule: .ofCurrentThread()) }
    }

    private func intake(from start: [Reading], to end: [Reading]) -> Intake {
        var sum = Intake()
        sum.loops = max(1, end.count)
        for (before, after) in zip(start, end) {
            sum.deliveries += after.deliveries - before.deliveries
            guard let from = before.schedule, let to = after.schedule else { continue }
            sum.ran = sum.ran + (to.ran - from.ran)
        }
        return sum
    }

    /// Waits until all that was sent has come, so that one phase leaves nothing to the next.
    private func drain(_ fleet: ClientFleet<DeliveryObserver>, _ sent: Int) async throws {
        let deadline = MonotonicInstant.now() + Span.drain
        while try await fleet.withSinks(\.measuredDeliveries).reduce(0, +) < Int64(sent) {
            guard MonotonicInstant.now() < deadline else { return }
            try await Task.sleep(nanoseconds: 1_000_000)
        }
    }

    // MARK: Floor

    private func trickle(_ server: NullServer, _ loops: [SocketLoop]) async throws -> LatencySummary {
        try await server.forgetConnections()
        let fleet = try await connect(loops.count, on: loops, to: server)
        let sent = try await server.write(1, every: Self.trickleInterval, until: .now() + Span.trickle).frames
        try await drain(fleet, sent)
        let records = try await fleet.finish().map { $0.snapshot() }
        var latency = LatencyHistogram()
        for record in records { latency.add(record.stages.latency) }
        return latency.summary
    }

    /// Clients as the run's own, spread over its loops, each loop with an observer.
    private func connect(
        _ count: Int, on loops: [SocketLoop], to server: NullServer
    ) async throws -> ClientFleet<DeliveryObserver> {
        let endpoint = ClientEndpoint(host: "127.0.0.1", port: server.port, path: "/")
        let run = self.run
        let fleet = ClientFleet<DeliveryObserver>(
            loops: loops, endpoints: [endpoint], options: FleetOptions(seed: UInt64(run))
        ) { _ in
            DeliveryObserver(
                run: run, publisherCount: 1, channel: 0, measuredFrom: MonotonicInstant(nanoseconds: 0))
        }
        let clients = (0..<count).map { FleetClient(index: UInt32($0), instance: 0, connectAt: .zero) }
        try await fleet.connectAll(clients, startingAt: .now())
        try await fleet.awaitConnected(deadline: .now() + Span.connect)
        return fleet
    }
}
