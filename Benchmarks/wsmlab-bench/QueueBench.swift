import NIOCore
import NIOPosix
import Synchronization
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord
import WSMRedis

/// Updates of processes from worker threads through the queue and the `ProcessDataBroadcastThread` to Redis.
///
/// An update is two messages: the list, and the process.
struct QueueBench {
    private static let workers = 8

    func run() async throws {
        print("ProcessDataBroadcastThread: \(Self.workers) workers, queue, one thread, Redis")
        print("")
        for rate in [10_000, 50_000, 100_000, 120_000] {
            let length = TimeSpan(nanoseconds: Int64(Self.workers) * 1_000_000_000 / Int64(rate))
            let outcome = try await measure(steps: 4 * rate / Self.workers, length: length)
            let updates = Double(outcome.published / 2)
            print(
                "  \(rate) updates/s asked for: \(Int(updates / outcome.seconds)) updates/s published, "
                    + "\(outcome.refused) refused by the full queue; from the queue to Redis' answer "
                    + "p50 \(outcome.quantile(0.5)), p99 \(outcome.quantile(0.99)), at most \(outcome.quantile(1))")
        }
    }

    private struct Outcome {
        var published: Int
        var refused: Int
        var seconds: Double
        var waits: LatencyHistogram

        func quantile(_ quantile: Double) -> String {
            "\(Table.decimal(Double(waits.percentile(quantile * 100).nanoseconds) / 1e6, 3)) ms"
        }
    }

    /// Runs one process on each worker, with so many steps of this length.
    private func measure(steps: Int, length: TimeSpan) async throws -> Outcome {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let redis = try await EmbeddedRedis.start()
        let probe = QueueProbe()
        var configuration = LiveInstance.Configuration(manager: .init(redis: redis.url))
        configuration.workers = Self.workers
        let instance = try await LiveInstance.start(configuration, on: group, probe: probe)
        let start = MonotonicInstant.now()
        let spec = WorkflowSpec(name: "bench", steps: Array(repeating: length, count: steps))
        for worker in 0..<Self.workers {
            try instance.startProcess(spec, id: OrchestratorUUID(high: 1, low: UInt64(worker)))
        }
        let deadline = start + .seconds(120)
        while instance.backlog > 0, MonotonicInstant.now() < deadline { try await Task.sleep(nanoseconds: 1_000_000) }
        let seconds = Double((MonotonicInstant.now() - start).nanoseconds) / 1e9
        let counters = instance.manager.counters
        let outcome = Outcome(
            published: counters.published, refused: counters.queueRefused, seconds: seconds, waits: probe.waits)
        _ = try await instance.stop()
        await redis.stop()
        try await group.shutdownGracefully()
        return outcome
    }
}

/// Takes the time from the queue until Redis has answered.
private final class QueueProbe: InstanceProbe {
    private let sequence = Atomic<UInt64>(0)
    private let recorded = Mutex(LatencyHistogram())

    var waits: LatencyHistogram { recorded.withLock { $0 } }

    func submitted(_ submission: Submission) -> ProbeStamp? {
        ProbeStamp(
            run: 1, publisher: PublisherID(0), sequence: sequence.wrappingAdd(1, ordering: .relaxed).oldValue,
            intended: submission.sent)
    }

    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant) {
        guard outcome == .acknowledged, stamp.queued.nanoseconds > 0 else { return }
        recorded.withLock { $0.record(instant - stamp.queued) }
    }

    func published(_ stamp: ProbeStamp) {}
    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant) {}
    func connected(_ client: ClientID, label: String?) {}
    func disconnected(_ client: ClientID) {}
    func fanOutAborted(_ stamp: ProbeStamp) {}
    func leftOut(_ messages: [FannedOutMessage], clientLabel: String?, isFirst: Bool) {}
    func evicted(clientLabel label: String?, at instant: MonotonicInstant) {}
    func traced(_ trace: ManagerTrace, at instant: MonotonicInstant) {}
    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {}
}
