import Foundation
import Synchronization
import WSMCore
import WSMInstance
import WSMManagers

/// Stands between an instance and the probe that measures it, and holds the instance up: in its own threads, at its own work.
final class PlantedProbe: InstanceProbe {
    private let probe: any InstanceProbe
    private let plant: Plant
    /// The CPU time of the instance's event loop when it last fanned out.
    private let lastCPU = Mutex<TimeSpan?>(nil)

    init(_ probe: any InstanceProbe, _ plant: Plant) {
        self.probe = probe
        self.plant = plant
    }

    // MARK: What is planted

    /// Called by the publishing thread just before it sends.
    func published(_ stamp: ProbeStamp) {
        if case .delay(let span) = plant { Thread.sleep(forTimeInterval: span.seconds) }
        probe.published(stamp)
    }

    /// Called by the event loop after each fan-out: burns a share of what the loop has used since the last time.
    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant) {
        probe.fannedOut(messages, clientLabel: clientLabel, writtenAt: writtenAt)
        guard case .cpu(let share) = plant, let used = ThreadCPUTime.ofCurrentThread() else { return }
        let before = lastCPU.withLock { $0 } ?? used
        let end = used + TimeSpan(nanoseconds: Int64(Double((used - before).nanoseconds) * share))
        var now = used
        while now < end { now = ThreadCPUTime.ofCurrentThread() ?? end }
        lastCPU.withLock { $0 = now }
    }

    // MARK: What is not

    func submitted(_ submission: Submission) -> ProbeStamp? { probe.submitted(submission) }
    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant) {
        probe.ended(stamp, outcome, at: instant)
    }
    func connected(_ client: ClientID, label: String?) { probe.connected(client, label: label) }
    func disconnected(_ client: ClientID) { probe.disconnected(client) }
    func fanOutAborted(_ stamp: ProbeStamp) { probe.fanOutAborted(stamp) }
    func leftOut(_ messages: [FannedOutMessage], clientLabel: String?, isFirst: Bool) {
        probe.leftOut(messages, clientLabel: clientLabel, isFirst: isFirst)
    }
    func evicted(clientLabel label: String?, at instant: MonotonicInstant) {
        probe.evicted(clientLabel: label, at: instant)
    }
    func traced(_ trace: ManagerTrace, at instant: MonotonicInstant) { probe.traced(trace, at: instant) }
    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant) {
        probe.broadcastThreadEnded(end, at: instant)
    }
}
