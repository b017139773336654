internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// One publisher of a `broadcasts` workload: a thread that calls `broadcastData` at the instants of its plan.
///
/// Open-loop: each send is due at an absolute instant. A publisher that is still busy with the send before (the system's
/// delay) sends the next one late, and its latency counts from the intended instant; *schedule slip* is only what the
/// publisher lost by waking late (the generator's own delay).
final class BroadcastLoad: Sendable {
    private let thread: DedicatedThread

    /// Publishes one message of the plan and returns when that is done.
    typealias Publish = (_ intended: MonotonicInstant, _ sent: MonotonicInstant) -> Void

    convenience init(
        _ plan: PlannedBroadcaster, instance: LiveInstance, probe: any MeasuringProbe, clock: LoadClock,
        record: any LoadRecord
    ) {
        self.init(plan, clock: clock, record: record) {
            let publisher = instance.manager.makePublisher(entity: 1 << 32 | UInt64(plan.index))
            let json = BroadcastPayload.json(bytes: plan.payloadBytes)
            return { intended, sent in
                let submission = Submission(
                    source: .load(plan.index), channel: plan.channel, intended: intended, sent: sent)
                publisher.broadcastData(
                    [Broadcast(channels: [plan.channel], json: json, stamp: probe.submitted(submission))])
            }
        }
    }

    /// - Parameter makePublish: Called once, on the load's thread, which alone uses what it returns.
    init(
        _ plan: PlannedBroadcaster, clock: LoadClock, record: any LoadRecord,
        makePublish: @escaping @Sendable () -> Publish
    ) {
        thread = DedicatedThread(name: "load-\(plan.index)") {
            let publish = makePublish()
            var freeSince = clock.start
            for offset in plan.sendsAt {
                let intended = clock.start + offset
                guard clock.wait(until: intended) else { return }
                let now = MonotonicInstant.now()
                if intended >= clock.measuredFrom { record.slipped(now - max(intended, freeSince)) }
                publish(intended, now)
                freeSince = .now()
            }
        }
    }

    var hasEnded: Bool { thread.hasEnded }
}
