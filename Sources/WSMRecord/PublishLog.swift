import Synchronization
package import WSMCore

/// The log of one publisher: numbers its messages and keeps what became of each.
///
/// Any thread may call it; a message is submitted by the publisher's own thread, and the broadcast thread or a reply
/// handler reports on it later. Some 40 bytes a message, however many clients receive it.
package final class PublishLog: Sendable {
    package let publisher: PublisherID
    /// The instance that it publishes through.
    package let instance: UInt16
    /// Whether it publishes fences, which are never deliveries.
    package let isFence: Bool
    private let expectedMessages: Int
    private let channels = Mutex<[ChannelHistory]>([])

    /// - Parameter expectedMessages: how many messages a channel will hold by the plan, to reserve memory at the start.
    package init(publisher: PublisherID, instance: UInt16, isFence: Bool = false, expectedMessages: Int = 0) {
        self.publisher = publisher
        self.instance = instance
        self.isFence = isFence
        self.expectedMessages = expectedMessages
    }

    /// Notes a message that the caller has ready, and gives it its sequence number on `channel`, from 0 without a gap.
    package func submit(
        channel: UInt8, intended: MonotonicInstant, sent: MonotonicInstant, process: UInt32 = ProbeStamp.noProcess,
        step: UInt16 = 0
    ) -> UInt64 {
        channels.withLock { channels in
            let index =
                channels.firstIndex { $0.channel == channel }
                ?? {
                    channels.append(ChannelHistory(channel: channel))
                    channels[channels.count - 1].reserve(expectedMessages)
                    return channels.count - 1
                }()
            return channels[index].submit(
                intended: intended.nanoseconds, sent: sent.nanoseconds, process: process, step: step)
        }
    }

    /// The message is being handed to the broker or the memory manager; a retry keeps the first instant.
    package func published(channel: UInt8, sequence: UInt64, at: MonotonicInstant) {
        update(channel, sequence) { history, index in
            if history.published[index] == 0 { history.published[index] = at.nanoseconds }
            // The reply may be noted by another thread before this; only a failure is overtaken by a new try.
            if history.outcome[index] != PublishOutcome.published.rawValue { history.settled[index] = 0 }
            history.outcome[index] = PublishOutcome.published.rawValue
        }
    }

    /// The broker or the manager has confirmed the message.
    package func acknowledged(channel: UInt8, sequence: UInt64, at: MonotonicInstant) {
        update(channel, sequence) { history, index in
            history.settled[index] = at.nanoseconds
            history.outcome[index] = PublishOutcome.published.rawValue
        }
    }

    /// The message came to nothing, or to an unknown end, in the way that `outcome` says.
    package func failed(channel: UInt8, sequence: UInt64, outcome: PublishOutcome, at: MonotonicInstant) {
        update(channel, sequence) { history, index in
            history.settled[index] = at.nanoseconds
            history.outcome[index] = outcome.rawValue
        }
    }

    /// How many messages were submitted on `channel`.
    package func submittedCount(channel: UInt8) -> Int {
        channels.withLock { channels in channels.first { $0.channel == channel }?.count ?? 0 }
    }

    /// What is known now, as a value of its own.
    package func snapshot() -> PublisherHistory {
        PublisherHistory(
            publisher: publisher, instance: instance, isFence: isFence, channels: channels.withLock { $0 })
    }

    private func update(
        _ channel: UInt8, _ sequence: UInt64, _ change: (inout ChannelHistory, Int) -> Void
    ) {
        channels.withLock { channels in
            guard let position = channels.firstIndex(where: { $0.channel == channel }),
                sequence < UInt64(channels[position].count)
            else { preconditionFailure("a report on message \(sequence), which \(publisher) never submitted") }
            change(&channels[position], Int(sequence))
        }
    }
}
