import WSMCore

/// One chunk of a trace: events of one lane, a document, or the end.
package struct TraceChunk: Sendable {
    let kind: TraceFormat.ChunkKind
    package let role: TraceRole
    /// Unique in the file; 0 for documents and the end.
    package let lane: UInt32
    /// The event loop or the instance.
    package let index: UInt32
    /// Events that the lane had dropped before this chunk, since the trace began.
    package let dropped: UInt64
    /// How many events the chunk has; definitions are none.
    package let events: Int
    /// No event of it is much older, in nanoseconds of the monotonic clock.
    package let base: Int64
    let content: [UInt8]
    /// Its first byte in the file, and its number there.
    package let offset: Int64
    package let number: Int

    /// The bytes of a document; `nil` for another kind.
    package var document: ArraySlice<UInt8>? {
        kind == .document ? content[TraceFormat.headerLength...] : nil
    }

    /// Calls `body` with each event, definitions too, in the lane's order.
    ///
    /// - Throws: ``TraceError`` at a record that no writer writes, with all before it told; and what `body` throws.
    package func forEachEvent(_ body: (TraceEvent) throws(TraceError) -> Void) throws(TraceError) {
        guard kind == .events else { return }
        var reader = TraceRecordReader(chunk: self)
        var count = 0
        while let event = try reader.next() {
            if case .defined = event {} else { count += 1 }
            try body(event)
        }
        guard count == events else { throw impossible("it has \(count) events, and its header says \(events)") }
    }

    /// An error in this chunk, for one who holds its events against others.
    package func impossible(_ what: String) -> TraceError {
        TraceError(.impossibleRecord, offset: offset, chunk: number, what)
    }
}

/// Walks the records of a chunk.
struct TraceRecordReader {
    /// No instant of a run lies beyond: 73 years.
    static let latest: Int64 = 1 << 61

    private let chunk: TraceChunk
    private var at = TraceFormat.headerLength
    private var clock: Int64
    private var defined = [Bool](repeating: false, count: TraceFormat.slots)

    init(chunk: TraceChunk) {
        self.chunk = chunk
        clock = chunk.base
    }

    /// The next event; `nil` at the end.
    mutating func next() throws(TraceError) -> TraceEvent? {
        let left = chunk.content.count - at
        guard left > 0 else { return nil }
        let byte = chunk.content[at]
        guard let record = TraceFormat.Record(rawValue: byte & 0xf), fits(record, byte) else {
            throw impossible("there is no record \(byte) in a lane of \(chunk.role)")
        }
        guard left >= record.length else { throw impossible("its last record is cut") }
        var length = record.length
        let event = chunk.content.withUnsafeBytes { bytes -> TraceEvent? in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            switch record {
            case .received, .receivedWide: return receipt(record, rest)
            case .defined: return definition(rest)
            case .foreign, .closed: return withText(record, rest, &length)
            case .opened, .connectFailed, .measuring, .fault: return session(record, rest)
            case .submitted, .published, .acknowledged, .failed: return publishing(record, rest)
            case .fannedOut, .happened: return instance(record, rest)
            }
        }
        guard let event else { throw impossible("a record \(record) at byte \(at) of its content makes no sense") }
        at += length
        return event
    }

    private func impossible(_ what: String) -> TraceError { chunk.impossible(what) }

    private func fits(_ record: TraceFormat.Record, _ byte: UInt8) -> Bool {
        switch record {
        case .defined, .received, .receivedWide: chunk.role == .clients
        case .foreign, .opened, .closed, .connectFailed, .measuring, .fault: chunk.role == .clients && byte >> 4 == 0
        case .submitted, .published, .acknowledged, .failed: chunk.role == .publishers && byte >> 4 == 0
        case .fannedOut, .happened: chunk.role == .instance && byte >> 4 == 0
        }
    }

    /// The slot in the first two bytes.
    private func slot(_ bytes: UnsafeRawBufferPointer) -> UInt16 { bytes.number(at: 0, UInt16.self) >> 4 }

    private func isPossible(_ instants: MonotonicInstant...) -> Bool {
        instants.allSatisfy { (0...Self.latest).contains($0.nanoseconds) }
    }

    // MARK: - Clients

    private mutating func receipt(_ record: TraceFormat.Record, _ bytes: UnsafeRawBufferPointer) -> TraceEvent? {
        let slot = slot(bytes)
        guard defined[Int(slot)] else { return nil }
        if record == .received {
            let word: UInt64 = bytes.number(at: 0)
            clock &+= Int64(word >> 40)
            guard (0...Self.latest).contains(clock) else { return nil }
            return .received(
                slot: slot, session: UInt32(word >> 16 & 0xff_ffff), at: MonotonicInstant(nanoseconds: clock))
        }
        let instant = bytes.instant(at: 8)
        guard bytes.number(at: 2, UInt16.self) == 0, isPossible(instant) else { return nil }
        clock = instant.nanoseconds
        return .received(slot: slot, session: bytes.number(at: 4), at: instant)
    }

    private mutating func definition(_ bytes: UnsafeRawBufferPointer) -> TraceEvent? {
        let flags = bytes[2]
        let publisher: UInt32 = bytes.number(at: 8)
        let sequence: UInt64 = bytes.number(at: 20)
        // What a stamp has no bits for was never read from one.
        guard let kind = ProbeStamp.Kind(rawValue: flags >> 1), publisher < 1 << 24, sequence < 1 << 40,
            bytes.number(at: 18, UInt16.self) == 0
        else { return nil }
        var stamp = ProbeStamp(
            kind: kind, run: bytes.number(at: 4), channel: bytes[3], publisher: PublisherID(publisher),
            sequence: sequence, process: bytes.number(at: 12), step: bytes.number(at: 16),
            intended: bytes.instant(at: 28))
        stamp.sent = bytes.instant(at: 36)
        stamp.queued = bytes.instant(at: 44)
        stamp.dequeued = bytes.instant(at: 52)
        stamp.published = bytes.instant(at: 60)
        defined[Int(slot(bytes))] = true
        return .defined(slot: slot(bytes), TracedMessage(stamp: stamp, intact: flags & 1 == 1))
    }

    private func withText(
        _ record: TraceFormat.Record, _ bytes: UnsafeRawBufferPointer, _ length: inout Int
    ) -> TraceEvent? {
        let session: UInt32 = bytes.number(at: 4)
        let instant = bytes.instant(at: 8)
        let text = Int(bytes.number(at: record == .foreign ? 2 : 16, UInt16.self))
        guard text <= TraceFormat.keptBytes, bytes.count >= length + text, isPossible(instant) else { return nil }
        let kept = bytes[length..<(length + text)]
        length += text
        guard record == .closed else {
            let whole: UInt32 = bytes.number(at: 16)
            guard bytes[1] == 0, Int(whole) >= text else { return nil }
            return .foreign(ForeignReceipt(session: session, at: instant, length: whole, bytes: Array(kept)))
        }
        guard let words = String(validating: kept, as: UTF8.self),
            let end = TraceFormat.end(how: bytes[1], code: bytes.number(at: 2), words: words)
        else { return nil }
        return .closed(session: session, end: end, at: instant)
    }

    private func session(_ record: TraceFormat.Record, _ bytes: UnsafeRawBufferPointer) -> TraceEvent? {
        switch record {
        case .opened:
            let (attempted, opened) = (bytes.instant(at: 12), bytes.instant(at: 20))
            if bytes[1] == 2 || bytes[1] == 3 { return stall(bytes, at: opened) }
            guard bytes[1] <= 1, isPossible(attempted, opened) else { return nil }
            return .opened(
                OpenedSession(
                    session: bytes.number(at: 8), client: bytes.number(at: 4), instance: bytes.number(at: 2),
                    slowReader: bytes[1] == 1, attemptedAt: attempted, openedAt: opened))
        case .connectFailed:
            guard bytes[1] == 0, isPossible(bytes.instant(at: 8)) else { return nil }
            return .connectFailed(
                client: bytes.number(at: 4), instance: bytes.number(at: 2), at: bytes.instant(at: 8))
        case .fault:
            return fault(what: bytes[1], fault: bytes.number(at: 2), at: bytes.instant(at: 4)).map { .fault($0) }
        default:
            return .measuring(from: bytes.instant(at: 4))
        }
    }

    private func fault(what: UInt8, fault: UInt16, at: MonotonicInstant) -> FaultMark? {
        guard isPossible(at) else { return nil }
        switch what {
        case 0: return fault == 0 && at.nanoseconds == 0 ? .expected : nil
        case 1: return .began(fault: fault, at: at)
        case 2: return .healed(fault: fault, at: at)
        default: return nil
        }
    }

    private func stall(_ bytes: UnsafeRawBufferPointer, at instant: MonotonicInstant) -> TraceEvent? {
        let (instance, client): (UInt16, UInt32) = (bytes.number(at: 2), bytes.number(at: 4))
        guard instance == 0, client == 0, bytes.instant(at: 12).nanoseconds == 0, isPossible(instant) else {
            return nil
        }
        let session: UInt32 = bytes.number(at: 8)
        return bytes[1] == 2 ? .stalled(session: session, at: instant) : .resumed(session: session, at: instant)
    }

    // MARK: - Publishers and instances

    private func publishing(_ record: TraceFormat.Record, _ bytes: UnsafeRawBufferPointer) -> TraceEvent? {
        let sequence = record == .submitted ? 12 : 8
        let key = MessageKey(
            publisher: bytes.number(at: 4), channel: bytes[1], sequence: bytes.number(at: sequence))
        if record == .submitted {
            let (intended, sent) = (bytes.instant(at: 20), bytes.instant(at: 28))
            guard isPossible(intended, sent) else { return nil }
            return .submitted(
                SubmittedMessage(
                    key: key, intended: intended, sent: sent, process: bytes.number(at: 8), step: bytes.number(at: 2)))
        }
        let instant = bytes.instant(at: 16)
        guard isPossible(instant) else { return nil }
        switch record {
        case .published:
            return .published(key, at: instant, queued: bytes.instant(at: 24), dequeued: bytes.instant(at: 32))
        case .acknowledged:
            return .acknowledged(key, at: instant)
        default:
            guard let outcome = PublishOutcome(rawValue: bytes[2]) else { return nil }
            return .failed(key, outcome: outcome, at: instant)
        }
    }

    private func instance(_ record: TraceFormat.Record, _ bytes: UnsafeRawBufferPointer) -> TraceEvent? {
        func client(at offset: Int) -> UInt32? {
            let number: UInt32 = bytes.number(at: offset)
            return number == .max ? nil : number
        }
        guard record == .happened else {
            let key = MessageKey(publisher: bytes.number(at: 4), channel: bytes[1], sequence: bytes.number(at: 8))
            return .fannedOut(
                FannedOut(
                    key: key, instance: bytes.number(at: 2), client: client(at: 16),
                    deliveredAt: bytes.instant(at: 20), writtenAt: bytes.instant(at: 28)))
        }
        guard let what = InstanceHappening(rawValue: bytes[1]) else { return nil }
        return .happened(what, instance: bytes.number(at: 2), client: client(at: 4), at: bytes.instant(at: 8))
    }
}
