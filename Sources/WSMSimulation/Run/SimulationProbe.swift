package import WSMCore
package import WSMManagers

/// What a run learns of one simulated instance: the calls that a live instance makes to its own probe, each with its instant.
///
/// The instants of one call may lie a little ahead of the next one's: an event loop's turn is told when it begins.
package protocol SimulationProbe: AnyObject {
    /// Messages that were due from this instant on are measured.
    func startMeasuring(from instant: MonotonicInstant)
    /// A message takes its place in its publisher's order; `nil` where the run has no number for its channel.
    func submitted(_ submission: Submission) -> ProbeStamp?
    /// A fence to be published through this instance.
    func submittedFence(now: MonotonicInstant) -> ProbeStamp?
    /// The message is handed to the broker or the Memory manager at `stamp.published`.
    func published(_ stamp: ProbeStamp)
    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant)
    /// A message has been written to all clients of the instance, or to one.
    func fannedOut(_ stamp: ProbeStamp, client: UInt32?, deliveredAt: MonotonicInstant, writtenAt: MonotonicInstant)
    func connected(_ client: ClientID, as number: UInt32)
    func disconnected(_ client: ClientID, at instant: MonotonicInstant)
    /// A serial fan-out of the message ended before its last client.
    func fanOutAborted(_ stamp: ProbeStamp)
    /// The slow-client policy left out messages that were published between two instants.
    func leftOut(
        client: UInt32, count: Int, published: ClosedRange<MonotonicInstant>, isFirst: Bool)
    func evicted(_ client: UInt32, at instant: MonotonicInstant)
    func traced(_ trace: ManagerTrace, at instant: MonotonicInstant)
    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant)
    /// The instance is killed or begins to stop; what comes later is of its next life.
    func wentDown(at instant: MonotonicInstant)
    func lifeEnded(at instant: MonotonicInstant)
    func cameUp(at instant: MonotonicInstant)
}
