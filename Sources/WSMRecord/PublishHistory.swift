package import WSMCore

/// What became of a submitted message.
package enum PublishOutcome: UInt8, Hashable, Sendable, Codable {
    /// Nothing is known yet: it waits in a queue, or the run ended before it was taken.
    case pending
    /// It was handed to the broker, or to the memory manager.
    case published
    /// The publish failed for certain.
    case failed
    /// The publish failed without a reply: the broker may have taken it or not.
    case maybePublished
    /// The broadcast queue was full and dropped it.
    case queueDropped
    /// The broadcast thread had died before it took the message.
    case threadDead
}

/// What one publisher submitted on one channel: columns indexed by the sequence number.
///
/// An instant of zero is unknown. Message `i` was submitted before message `i + 1`.
package struct ChannelHistory: Hashable, Sendable, Codable {
    /// The channel's number in the run's plan.
    package let channel: UInt8
    /// When the plan wanted each message sent.
    package var intended: [Int64] = []
    /// When the caller had it ready and submitted it.
    package var submitted: [Int64] = []
    /// When it was first handed to the broker or to the memory manager.
    package var published: [Int64] = []
    /// When the broker or the manager confirmed it; for a failure, when the failure was known.
    package var settled: [Int64] = []
    package var outcome: [UInt8] = []
    /// The process whose update it is, or `ProbeStamp.noProcess`.
    package var process: [UInt32] = []
    package var step: [UInt16] = []

    package init(channel: UInt8) {
        self.channel = channel
    }

    /// How many messages were submitted.
    package var count: Int { submitted.count }

    package func outcome(of index: Int) -> PublishOutcome {
        PublishOutcome(rawValue: outcome[index]) ?? .pending
    }

    mutating func reserve(_ messages: Int) {
        intended.reserveCapacity(messages)
        submitted.reserveCapacity(messages)
        published.reserveCapacity(messages)
        settled.reserveCapacity(messages)
        outcome.reserveCapacity(messages)
        process.reserveCapacity(messages)
        step.reserveCapacity(messages)
    }

    mutating func submit(intended: Int64, sent: Int64, process: UInt32, step: UInt16) -> UInt64 {
        self.intended.append(intended)
        submitted.append(sent)
        published.append(0)
        settled.append(0)
        outcome.append(PublishOutcome.pending.rawValue)
        self.process.append(process)
        self.step.append(step)
        return UInt64(submitted.count - 1)
    }
}

/// All that one publisher submitted in a run: an immutable value for the settlement.
package struct PublisherHistory: Hashable, Sendable, Codable {
    /// The publisher's number, dense over the run (`PublisherID.rawValue`).
    package let publisher: UInt32
    /// The instance that it publishes through.
    package let instance: UInt16
    /// Whether it publishes fences, which are never deliveries.
    package let isFence: Bool
    package var channels: [ChannelHistory]

    package init(publisher: PublisherID, instance: UInt16, isFence: Bool, channels: [ChannelHistory]) {
        self.publisher = publisher.rawValue
        self.instance = instance
        self.isFence = isFence
        self.channels = channels
    }

    /// Its history on `channel`; `nil` when it submitted nothing there.
    package func history(of channel: UInt8) -> ChannelHistory? {
        channels.first { $0.channel == channel }
    }
}
