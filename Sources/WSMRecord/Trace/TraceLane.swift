package import WSMCore

/// The lane of one event loop's clients: everything that its observer is told, in that order.
///
/// It belongs to the loop and takes no lock but to change buffers, some 100 times a million receipts. Nothing here blocks:
/// without a free buffer, events are dropped and counted.
package final class TraceLane {
    private var buffer: LaneBuffer

    init(lane: UInt32, index: Int, pool: TracePool) {
        buffer = LaneBuffer(lane: lane, role: .clients, index: UInt32(index), pool: pool)
        pool.laneOpened(lane)
    }

    deinit {
        buffer.close()
        buffer.deallocate()
    }

    /// One whole message; `reading` is what the observer read of `message`.
    @inline(__always)
    package func received(
        session: Int, _ reading: ProbeStamp.Reading, message: UnsafeRawBufferPointer, at: MonotonicInstant
    ) {
        if case .stamped(let stamp, let intact) = reading {
            buffer.received(session: session, stamp: stamp, intact: intact, at: at.nanoseconds)
        } else {
            receivedForeign(session: session, message: message, at: at)
        }
    }

    @inline(never)
    private func receivedForeign(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        let kept = min(message.count, TraceFormat.keptBytes)
        guard let room = buffer.record(.foreign, text: kept, at: at.nanoseconds) else { return }
        room.store(0 as UInt8, at: 1)
        room.store(UInt16(kept), at: 2)
        room.store(UInt32(clamping: session), at: 4)
        room.store(at, at: 8)
        room.store(UInt32(clamping: message.count), at: 16)
        if let source = message.baseAddress { (room + 20).copyMemory(from: source, byteCount: kept) }
    }

    package func opened(_ session: OpenedSession) {
        guard let room = buffer.record(.opened, at: session.openedAt.nanoseconds) else { return }
        room.store(session.slowReader ? 1 : 0 as UInt8, at: 1)
        room.store(session.instance, at: 2)
        room.store(session.client, at: 4)
        room.store(session.session, at: 8)
        room.store(session.attemptedAt, at: 12)
        room.store(session.openedAt, at: 20)
    }

    package func stalled(session: Int, at: MonotonicInstant) { stall(2, session, at) }
    package func resumed(session: Int, at: MonotonicInstant) { stall(3, session, at) }

    private func stall(_ what: UInt8, _ session: Int, _ at: MonotonicInstant) {
        guard let room = buffer.record(.opened, at: at.nanoseconds) else { return }
        room.store(what, at: 1)
        room.store(0 as UInt16, at: 2)
        room.store(0 as UInt32, at: 4)
        room.store(UInt32(clamping: session), at: 8)
        room.store(MonotonicInstant(nanoseconds: 0), at: 12)
        room.store(at, at: 20)
    }

    package func closed(session: Int, end: SessionEnd, at: MonotonicInstant) {
        let (how, code, words) = TraceFormat.numbers(of: end)
        // Whole characters only, so that the text reads back as text.
        var text = words.utf8.prefix(TraceFormat.keptBytes)
        while !text.isEmpty, String(text) == nil { text = text.dropLast() }
        guard let room = buffer.record(.closed, text: text.count, at: at.nanoseconds) else { return }
        room.store(how, at: 1)
        room.store(code, at: 2)
        room.store(UInt32(clamping: session), at: 4)
        room.store(at, at: 8)
        room.store(UInt16(text.count), at: 16)
        for (offset, byte) in text.enumerated() { room.store(byte, at: 18 + offset) }
    }

    package func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) {
        guard let room = buffer.record(.connectFailed, at: at.nanoseconds) else { return }
        room.store(0 as UInt8, at: 1)
        room.store(instance, at: 2)
        room.store(client, at: 4)
        room.store(at, at: 8)
    }

    /// The observer measures what is intended from `instant` on.
    package func measuring(from instant: MonotonicInstant) {
        // It happens now, whatever the instant is, and now is what the last receipt said.
        guard let room = buffer.record(.measuring, at: buffer.clock) else { return }
        room.store(0 as UInt8, at: 1)
        room.store(0 as UInt16, at: 2)
        room.store(instant, at: 4)
    }

    /// The observer was told of a fault.
    package func fault(_ mark: FaultMark) {
        let (what, fault, at): (UInt8, UInt16, MonotonicInstant) =
            switch mark {
            case .expected: (0, 0, MonotonicInstant(nanoseconds: 0))
            case .began(let fault, let at): (1, fault, at)
            case .healed(let fault, let at): (2, fault, at)
            }
        guard let room = buffer.record(.fault, at: buffer.clock) else { return }
        room.store(what, at: 1)
        room.store(fault, at: 2)
        room.store(at, at: 4)
    }

    /// Hands over what has waited since `instant` or longer, so that a crash loses little.
    package func handOver(olderThan instant: MonotonicInstant) {
        buffer.handOver(olderThan: instant)
    }

    /// Nothing more comes; on the lane's event loop, or on any thread once the loop has let go of the lane.
    package func close() {
        buffer.close()
    }
}

extension TraceFormat {
    /// How a session's end is written: a number, the close code, and words.
    static func numbers(of end: SessionEnd) -> (how: UInt8, code: UInt16, words: String) {
        switch end {
        case .runEnded: (0, 0, "")
        case .churned: (1, 0, "")
        case .closedByServer(let code): (2, code, "")
        case .dropped: (3, 0, "")
        case .protocolError(let words): (4, 0, words)
        }
    }

    /// The end that was so written; `nil` for a number that no end has.
    static func end(how: UInt8, code: UInt16, words: String) -> SessionEnd? {
        switch how {
        case 0: .runEnded
        case 1: .churned
        case 2: .closedByServer(code: code)
        case 3: .dropped
        case 4: .protocolError(words)
        default: nil
        }
    }
}
