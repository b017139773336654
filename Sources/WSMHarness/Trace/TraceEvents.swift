internal import WSMCore
internal import WSMManagers
internal import WSMRecord

extension FannedOut {
    /// The message with this stamp.
    init(
        _ stamp: ProbeStamp, instance: UInt16, client: UInt32?, deliveredAt: MonotonicInstant,
        writtenAt: MonotonicInstant
    ) {
        let key = MessageKey(
            publisher: stamp.publisher.rawValue, channel: stamp.channel, sequence: stamp.sequence)
        self.init(key: key, instance: instance, client: client, deliveredAt: deliveredAt, writtenAt: writtenAt)
    }
}

extension InstanceHappening {
    /// What a manager traced, as the run's trace has it.
    init(_ trace: ManagerTrace) {
        self =
            switch trace {
            case .poolExhausted: .poolExhausted
            case .fanOutAborted: .fanOutAborted
            case .brokerLost: .brokerLost
            case .resubscribed: .resubscribed
            case .gaveUp: .gaveUp
            case .fanOutStalled: .fanOutStalled
            case .skippedAtShutdown: .skippedAtShutdown
            }
    }
}
