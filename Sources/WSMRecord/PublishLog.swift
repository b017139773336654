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
    private struct State {
        var channels: [ChannelHistory] = []
        var isClosed = false
    }

    private let expectedMessages: Int
    private let trace: SharedTraceLane?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - expectedMessages: how many messages a channel will hold by the plan, to reserve memory at the start.
    ///   - trace: where all that the log is told is recorded too, in the same order.
    package init(
        publisher: PublisherID, instance: UInt16, isFence: Bool = false, expectedMessages: Int = 0,
        trace: SharedTraceLane? = nil
    ) {
        self.publisher = publisher
        self.instance = instance
        self.isFence = isFence
        self.expectedMessages = expectedMessages
        self.trace = trace
    }

    /// Notes a message that the caller has ready, and gives it its sequence number on `channel`, from 0 without a gap.
    package func submit(
        channel: UInt8, intended: MonotonicInstant, sent: MonotonicInstant, process: UInt32 = ProbeStamp.noProcess,
        step: UInt16 = 0
    ) -> UInt64 {
        state.withLock { state in
            let index =
                state.channels.firstIndex { $0.channel == channel }
                ?? {
                    state.channels.append(ChannelHistory(channel: channel))
                    state.channels[state.channels.count - 1].reserve(expectedMessages)
                    return state.channels.count - 1
                }()
            // Once closed, a number is still given, and nobody learns of it.
            guard !state.isClosed else { return UInt64(state.channels[index].count) }
            let sequence = state.channels[index].submit(
                intended: intended.nanoseconds, sent: sent.nanoseconds, process: process, step: step)
            trace?.submitted(
                SubmittedMessage(
                    key: key(channel, sequence), intended: intended, sent: sent, process: process, step: step))
            return sequence
        }
    }

    /// The message is being handed to the broker or the memory manager; a retry keeps the first instant.
    ///
    /// `queued` and `dequeued` are for the trace alone; zero where the message did not go through a queue.
    package func published(
        channel: UInt8, sequence: UInt64, at: MonotonicInstant, queued: MonotonicInstant = .init(nanoseconds: 0),
        dequeued: MonotonicInstant = .init(nanoseconds: 0)
    ) {
        update(channel, sequence) { history, index in
            trace?.published(key(channel, sequence), at: at, queued: queued, dequeued: dequeued)
            if history.published[index] == 0 { history.published[index] = at.nanoseconds }
            // The reply may be noted by another thread before this; only a failure is overtaken by a new try.
            if history.outcome[index] != PublishOutcome.published.rawValue { history.settled[index] = 0 }
            history.outcome[index] = PublishOutcome.published.rawValue
        }
    }

    /// The broker or the manager has confirmed the message.
    package func acknowledged(channel: UInt8, sequence: UInt64, at: MonotonicInstant) {
        update(channel, sequence) { history, index in
            trace?.acknowledged(key(channel, sequence), at: at)
            history.settled[index] = at.nanoseconds
            history.outcome[index] = PublishOutcome.published.rawValue
        }
    }

    /// The message came to nothing, or to an unknown end, in the way that `outcome` says.
    package func failed(channel: UInt8, sequence: UInt64, outcome: PublishOutcome, at: MonotonicInstant) {
        update(channel, sequence) { history, index in
            trace?.failed(key(channel, sequence), outcome: outcome, at: at)
            history.settled[index] = at.nanoseconds
            history.outcome[index] = outcome.rawValue
        }
    }

    /// How many messages were submitted on `channel`.
    package func submittedCount(channel: UInt8) -> Int {
        state.withLock { state in state.channels.first { $0.channel == channel }?.count ?? 0 }
    }

    /// What is known now, as a value of its own.
    package func snapshot() -> PublisherHistory {
        PublisherHistory(
            publisher: publisher, instance: instance, isFence: isFence, channels: state.withLock { $0.channels })
    }

    /// The run is over: what a thread reports that was not stopped in time is neither in the snapshots nor in the trace.
    package func close() {
        state.withLock { $0.isClosed = true }
    }

    private func key(_ channel: UInt8, _ sequence: UInt64) -> MessageKey {
        MessageKey(publisher: publisher.rawValue, channel: channel, sequence: sequence)
    }

    private func update(
        _ channel: UInt8, _ sequence: UInt64, _ change: (inout ChannelHistory, Int) -> Void
    ) {
        state.withLock { state in
            guard !state.isClosed else { return }
            guard let position = state.channels.firstIndex(where: { $0.channel == channel }),
                sequence < UInt64(state.channels[position].count)
            else { preconditionFailure("a report on message \(sequence), which \(publisher) never submitted") }
            change(&state.channels[position], Int(sequence))
        }
    }
}
