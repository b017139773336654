package import WSMCore

/// One event of a trace; which fields it has is documented at ``TraceFormat``.
package enum TraceEvent: Hashable, Sendable {
    /// From here on to the chunk's end, or to the next definition of the slot, receipts of `slot` are of this message.
    case defined(slot: UInt16, TracedMessage)
    case received(slot: UInt16, session: UInt32, at: MonotonicInstant)
    case foreign(ForeignReceipt)
    case opened(OpenedSession)
    /// A session's client stopped reading, and read again.
    case stalled(session: UInt32, at: MonotonicInstant)
    case resumed(session: UInt32, at: MonotonicInstant)
    case closed(session: UInt32, end: SessionEnd, at: MonotonicInstant)
    case connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant)
    /// The lane's observer was told from when on to measure.
    case measuring(from: MonotonicInstant)
    /// The lane's observer was told of a fault.
    case fault(FaultMark)
    case submitted(SubmittedMessage)
    case published(MessageKey, at: MonotonicInstant, queued: MonotonicInstant, dequeued: MonotonicInstant)
    case acknowledged(MessageKey, at: MonotonicInstant)
    case failed(MessageKey, outcome: PublishOutcome, at: MonotonicInstant)
    case fannedOut(FannedOut)
    case happened(InstanceHappening, instance: UInt16, client: UInt32?, at: MonotonicInstant)
}

/// What a run tells those who observe its clients about its faults.
package enum FaultMark: Hashable, Sendable, Codable {
    /// There will be faults, so that what each client hears is worth remembering.
    case expected
    /// The fault of this number, counted in the order of their planned instants, is about to be injected.
    case began(fault: UInt16, at: MonotonicInstant)
    /// Its cause is gone.
    case healed(fault: UInt16, at: MonotonicInstant)
}

/// What a receipt was of: the stamp as it was read, and whether its checksum fitted the message's bytes.
package struct TracedMessage: Hashable, Sendable {
    package var stamp: ProbeStamp
    package var intact: Bool

    package init(stamp: ProbeStamp, intact: Bool) {
        self.stamp = stamp
        self.intact = intact
    }
}

/// A message without a stamp of ours.
package struct ForeignReceipt: Hashable, Sendable {
    package var session: UInt32
    package var at: MonotonicInstant
    /// The whole message's length, and its first bytes, all of them unless it is long.
    package var length: UInt32
    package var bytes: [UInt8]

    package init(session: UInt32, at: MonotonicInstant, length: UInt32, bytes: [UInt8]) {
        self.session = session
        self.at = at
        self.length = length
        self.bytes = bytes
    }
}

/// A client's session; `session` is its number in the lane, from 0.
package struct OpenedSession: Hashable, Sendable {
    package var session: UInt32
    package var client: UInt32
    package var instance: UInt16
    package var slowReader: Bool
    package var attemptedAt: MonotonicInstant
    package var openedAt: MonotonicInstant

    package init(
        session: UInt32, client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant,
        openedAt: MonotonicInstant
    ) {
        self.session = session
        self.client = client
        self.instance = instance
        self.slowReader = slowReader
        self.attemptedAt = attemptedAt
        self.openedAt = openedAt
    }
}

/// Which message: the publisher's number in the run, the channel's, and the publisher's count on it.
package struct MessageKey: Hashable, Sendable {
    package var publisher: UInt32
    package var channel: UInt8
    package var sequence: UInt64

    package init(publisher: UInt32, channel: UInt8, sequence: UInt64) {
        self.publisher = publisher
        self.channel = channel
        self.sequence = sequence
    }
}

package struct SubmittedMessage: Hashable, Sendable {
    package var key: MessageKey
    package var intended: MonotonicInstant
    package var sent: MonotonicInstant
    package var process: UInt32
    package var step: UInt16

    package init(
        key: MessageKey, intended: MonotonicInstant, sent: MonotonicInstant, process: UInt32, step: UInt16
    ) {
        self.key = key
        self.intended = intended
        self.sent = sent
        self.process = process
        self.step = step
    }
}

/// A message that an instance has written to the sockets of one event loop.
package struct FannedOut: Hashable, Sendable {
    package var key: MessageKey
    package var instance: UInt16
    /// The only client that it was written to, or `nil` for all of them.
    package var client: UInt32?
    package var deliveredAt: MonotonicInstant
    package var writtenAt: MonotonicInstant

    package init(
        key: MessageKey, instance: UInt16, client: UInt32?, deliveredAt: MonotonicInstant, writtenAt: MonotonicInstant
    ) {
        self.key = key
        self.instance = instance
        self.client = client
        self.deliveredAt = deliveredAt
        self.writtenAt = writtenAt
    }
}

/// Something that happened to an instance, by its number in the trace.
package enum InstanceHappening: UInt8, CaseIterable, Sendable {
    /// The slow-client policy disconnected a client.
    case evicted = 0
    case brokerLost = 1
    case resubscribed = 2
    case poolExhausted = 3
    case fanOutAborted = 4
    case fanOutStalled = 5
    case gaveUp = 6
    case skippedAtShutdown = 7
    case threadStopped = 8
    case threadDied = 9
    /// The instance was killed or began to stop, and listens again.
    case wentDown = 10
    case cameUp = 11
}
