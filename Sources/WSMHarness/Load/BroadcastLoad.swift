internal import WSMCore
internal import WSMInstance
internal import WSMManagers
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

    /// A publisher inside of an instance: while that is down, what is planned is not published, and counted as such.
    convenience init(
        _ plan: PlannedBroadcaster, place: any InstancePlace, clock: LoadClock, record: any LoadRecord
    ) {
        self.init(plan, clock: clock, record: record) {
            var life = 0
            var publisher: ThreadPublisher?
            let json = BroadcastPayload.json(bytes: plan.payloadBytes)
            return { intended, sent in
                guard let current = place.current else { return place.countSkipped(intended, clock) }
                if current.number != life {
                    life = current.number
                    publisher = current.instance.manager.makePublisher(entity: 1 << 32 | UInt64(plan.index))
                }
                let submission = Submission(
                    source: .load(plan.index), channel: plan.channel, intended: intended, sent: sent)
                let stamp = current.probe.submitted(submission)
                publisher?.broadcastData([Broadcast(channels: [plan.channel], json: json, stamp: stamp)])
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
            var use = LoadThreadUse(clock, record)
            defer { use.end() }
            for offset in plan.sendsAt {
                let intended = clock.start + offset
                guard clock.wait(until: intended) else { return }
                let now = MonotonicInstant.now()
                use.note(now)
                if intended >= clock.measuredFrom { record.slipped(now - max(intended, freeSince)) }
                publish(intended, now)
                freeSince = .now()
            }
        }
    }

    var hasEnded: Bool { thread.hasEnded }
}
