internal import WSMCore
internal import WSMInstance
internal import WSMRecord

/// Tells the run's probe what the probe in another process wrote into its journal.
struct ProbeReplay {
    let probe: RunProbe
    private(set) var load = LoadFigures()

    init(_ probe: RunProbe) { self.probe = probe }

    /// - Throws: ``JournalError`` when the event cannot be of this run.
    mutating func tell(_ event: ProbeEvent) throws(JournalError) {
        switch event {
        case .submitted(let submission, let sequence):
            try check(probe.submitted(submission), sequence)
        case .fenceSubmitted(let at, let sequence):
            try check(probe.submittedFence(now: at), sequence)
        case .published(let stamp):
            try checkKnown(ProbeKey(stamp))
            probe.published(stamp)
        case .ended(let key, let outcome, let at):
            try checkKnown(key)
            probe.ended(key, outcome, at: at)
        case .fannedOut(let stamp, let client, let deliveredAt, let writtenAt):
            probe.fannedOut(stamp, client: client, deliveredAt: deliveredAt, writtenAt: writtenAt)
        case .connected(let client, let number): probe.connected(client, as: number)
        case .disconnected(let client, let at): probe.disconnected(client, at: at)
        case .fanOutAborted(let key): probe.fanOutAborted(key)
        case .leftOut(let omission): probe.leftOut(omission)
        case .evicted(let client, let at): probe.evicted(client, at: at)
        case .traced(let trace, let at): probe.traced(trace, at: at)
        case .broadcastThreadEnded(let end, let at): probe.broadcastThreadEnded(end, at: at)
        case .slipped(let span): load.scheduleSlip.record(span)
        case .refused(let refusal): load.refusals.count(refusal)
        case .loadUsed(let cpu): load.cpu = load.cpu + cpu
        }
    }

    private func check(_ stamp: ProbeStamp?, _ sequence: UInt64) throws(JournalError) {
        guard let stamp, stamp.sequence == sequence else { throw JournalError.damaged }
    }

    private func checkKnown(_ key: ProbeKey) throws(JournalError) {
        guard probe.knows(key) else { throw JournalError.damaged }
    }
}
