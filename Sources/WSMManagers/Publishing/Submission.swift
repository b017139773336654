public import WSMCore

/// A message as its publisher submits it.
public struct Submission: Sendable {
    /// Who publishes it, in an order of its own.
    public enum Source: Hashable, Sendable {
        /// The instance's `ProcessDataBroadcastThread`, through its queue.
        case broadcastThread
        /// The API's direct broadcasts.
        case api
        /// A worker of the thread pool, directly.
        case worker(Int)
        /// A publisher of the load that calls `broadcastData` itself.
        case load(Int)
    }

    public var source: Source
    public var channel: ChannelName
    /// When the plan wanted it; `nil` for what no plan asked for: then `sent` counts.
    public var intended: MonotonicInstant?
    /// When it was really ready.
    public var sent: MonotonicInstant
    /// The number in the plan of the process whose update it is.
    public var process: UInt32?
    /// Which update of the process it belongs to, from 0.
    public var step: UInt16

    public init(
        source: Source, channel: ChannelName, intended: MonotonicInstant?, sent: MonotonicInstant,
        process: UInt32? = nil, step: UInt16 = 0
    ) {
        self.source = source
        self.channel = channel
        self.intended = intended
        self.sent = sent
        self.process = process
        self.step = step
    }
}

/// How the publishing of a message ended.
public enum PublishEnd: Hashable, Sendable {
    /// The broker or the Memory manager has taken it.
    case acknowledged
    /// It was sent, and no reply came.
    case maybePublished
    case failed
    /// The broadcast queue was full, or its thread left it there at its stop.
    case queueDropped
    /// The broadcast thread had died.
    case threadDead
}
