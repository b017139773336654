import Synchronization
package import WSMCore

/// A lane that several threads write, under a lock of its own: all publishers of a run, or one instance.
///
/// Some ten events a message, however many clients receive it, so that the lock costs little.
package final class SharedTraceLane: Sendable {
    private let buffer: Mutex<LaneBuffer>

    init(lane: UInt32, role: TraceRole, index: Int, pool: TracePool) {
        buffer = Mutex(LaneBuffer(lane: lane, role: role, index: UInt32(index), pool: pool))
    }

    deinit {
        buffer.withLock { $0.deallocate() }
    }

    func handOver(olderThan instant: MonotonicInstant) {
        buffer.withLock { $0.handOver(olderThan: instant) }
    }

    func close() {
        buffer.withLock { $0.close() }
    }

    private func record(
        _ kind: TraceFormat.Record, at instant: MonotonicInstant, _ fill: (UnsafeMutableRawPointer) -> Void
    ) {
        buffer.withLock { buffer in
            if let room = buffer.record(kind, at: instant.nanoseconds) { fill(room) }
        }
    }

    // MARK: - Publishers

    package func submitted(_ message: SubmittedMessage) {
        record(.submitted, at: message.sent) { room in
            room.store(message.key.channel, at: 1)
            room.store(message.step, at: 2)
            room.store(message.key.publisher, at: 4)
            room.store(message.process, at: 8)
            room.store(message.key.sequence, at: 12)
            room.store(message.intended, at: 20)
            room.store(message.sent, at: 28)
        }
    }

    /// - Parameters:
    ///   - queued: when it was put on the broadcast thread's queue; zero without one.
    ///   - dequeued: when that thread took it; zero without one.
    package func published(
        _ key: MessageKey, at: MonotonicInstant, queued: MonotonicInstant, dequeued: MonotonicInstant
    ) {
        record(.published, at: at) { room in
            key.store(to: room)
            room.store(at, at: 16)
            room.store(queued, at: 24)
            room.store(dequeued, at: 32)
        }
    }

    package func acknowledged(_ key: MessageKey, at: MonotonicInstant) {
        record(.acknowledged, at: at) { room in
            key.store(to: room)
            room.store(at, at: 16)
        }
    }

    package func failed(_ key: MessageKey, outcome: PublishOutcome, at: MonotonicInstant) {
        record(.failed, at: at) { room in
            key.store(to: room)
            room.store(outcome.rawValue, at: 2)
            room.store(at, at: 16)
        }
    }

    // MARK: - Instances

    package func fannedOut(_ message: FannedOut) {
        record(.fannedOut, at: message.writtenAt) { room in
            room.store(message.key.channel, at: 1)
            room.store(message.instance, at: 2)
            room.store(message.key.publisher, at: 4)
            room.store(message.key.sequence, at: 8)
            room.store(message.client ?? .max, at: 16)
            room.store(message.deliveredAt, at: 20)
            room.store(message.writtenAt, at: 28)
        }
    }

    package func happened(
        _ what: InstanceHappening, instance: UInt16, client: UInt32? = nil, at: MonotonicInstant
    ) {
        record(.happened, at: at) { room in
            room.store(what.rawValue, at: 1)
            room.store(instance, at: 2)
            room.store(client ?? .max, at: 4)
            room.store(at, at: 8)
        }
    }
}

extension MessageKey {
    /// The first 16 bytes of the records about a message's publishing, but for the kind.
    fileprivate func store(to room: UnsafeMutableRawPointer) {
        room.store(channel, at: 1)
        room.store(0 as UInt16, at: 2)
        room.store(publisher, at: 4)
        room.store(sequence, at: 8)
    }
}
