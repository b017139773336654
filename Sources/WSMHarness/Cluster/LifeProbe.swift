internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMManagers

/// Tells a run what happens in one life of an instance, and nothing once that life is over: what a thread of a killed instance
/// would still report is known to nobody in a real crash.
final class LifeProbe: MeasuringProbe {
    private let probe: RunProbe
    private let isOver = Atomic<Bool>(false)

    init(_ probe: RunProbe) {
        self.probe = probe
    }

    func end() { isOver.store(true, ordering: .releasing) }

    var instance: Int { probe.instance }

    func submittedFence(now: MonotonicInstant) -> ProbeStamp? { lives ? probe.submittedFence(now: now) : nil }

    private var lives: Bool { !isOver.load(ordering: .acquiring) }

    func submitted(_ submission: Submission) -> ProbeStamp? { lives ? probe.submitted(submission) : nil }

    func published(_ stamp: ProbeStamp) {
        if lives { probe.published(stamp) }
    }

    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant) {
        if lives { probe.ended(stamp, outcome, at: instant) }
    }

    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant) {
        if lives { probe.fannedOut(messages, clientLabel: clientLabel, writtenAt: writtenAt) }
    }

    func connected(_ client: ClientID, label: String?) {
        if lives { probe.connected(client, label: label) }
    }

    func disconnected(_ client: ClientID) {
        if lives { probe.disconnected(client) }
    }

    func fanOutAborted(_ stamp: ProbeStamp) {
        if lives { probe.fanOutAborted(stamp) }
    }

    func leftOut(_ messages: [FannedOutMessage], clientLabel: String?, isFirst: Bool) {
        if lives { probe.leftOut(messages, clientLabel: clientLabel, isFirst: isFirst) }
    }

    func evicted(clientLabel label: String?, at instant: MonotonicInstant) {
        if lives { probe.evicted(clientLabel: label, at: instant) }
    }

    func traced(_ trace: ManagerTrace, at instant: MonotonicInstant) {
        if lives { probe.traced(trace, at: instant) }
    }

    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {
        if lives { probe.broadcastThreadEnded(end, at: instant) }
    }
}
