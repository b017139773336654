internal import WSMCore
internal import WSMInstance
internal import WSMManagers

/// What a probe in an instance of another process learned, as plain data: each call of `InstanceProbe` with its instants,
/// and what the process counted itself.
enum ProbeEvent: Hashable, Sendable {
    /// A message took its place in its publisher's order; `sequence` is its number there.
    case submitted(ProbeSubmission, sequence: UInt64)
    case fenceSubmitted(at: MonotonicInstant, sequence: UInt64)
    case published(ProbeStamp)
    case ended(ProbeKey, PublishEnd, at: MonotonicInstant)
    case fannedOut(ProbeStamp, client: UInt32?, deliveredAt: MonotonicInstant, writtenAt: MonotonicInstant)
    case connected(ClientID, number: UInt32)
    case disconnected(ClientID, at: MonotonicInstant)
    case fanOutAborted(ProbeKey)
    case leftOut(ProbeOmission)
    case evicted(client: UInt32, at: MonotonicInstant)
    case traced(ManagerTrace, at: MonotonicInstant)
    case broadcastThreadEnded(BroadcastThreadEnd, at: MonotonicInstant)
    /// The load was this late against its plan.
    case slipped(TimeSpan)
    case refused(ProcessLoad.Refusal)
    /// A thread of the load has used so much CPU time in the measured window.
    case loadUsed(TimeSpan)
}

extension ProbeEvent {
    /// When it happened, where the journal is to be told in step with others; `nil` for what happens seldom.
    var at: MonotonicInstant? {
        switch self {
        case .submitted(let submission, _): submission.sent
        case .fenceSubmitted(let at, _), .ended(_, _, let at), .traced(_, let at): at
        case .published(let stamp): stamp.published
        case .fannedOut(_, _, _, let writtenAt): writtenAt
        default: nil
        }
    }
}

/// A submission whose channel is a number.
struct ProbeSubmission: Hashable, Sendable {
    var source: Submission.Source
    var channel: UInt8
    var intended: MonotonicInstant?
    var sent: MonotonicInstant
    var process: UInt32?
    var step: UInt16
}

/// A message by its publisher's number in its channel.
struct ProbeKey: Hashable, Sendable {
    var publisher: UInt32
    var channel: UInt8
    var sequence: UInt64

    init(_ stamp: ProbeStamp) {
        publisher = stamp.publisher.rawValue
        channel = stamp.channel
        sequence = stamp.sequence
    }

    init(publisher: UInt32, channel: UInt8, sequence: UInt64) {
        self.publisher = publisher
        self.channel = channel
        self.sequence = sequence
    }
}

/// Messages that the slow-client policy left out for a client, by the instants at which they were published.
struct ProbeOmission: Hashable, Sendable {
    var client: UInt32
    var count: Int
    var from: MonotonicInstant
    var until: MonotonicInstant
    var isFirst: Bool
}
