import WSMCore

/// The room of one chunk: a lane fills it, the writer compresses it, and it goes back to its pool.
///
/// `@unchecked Sendable`: it belongs to one owner at a time, its lane, the pool or the writer; handing it over takes the
/// pool's lock.
final class TraceBuffer: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer
    /// The header and the payload so far.
    var length = TraceFormat.headerLength
    /// Set when it is handed over.
    var lane: UInt32 = 0
    var events: UInt32 = 0

    init() {
        memory = .allocate(byteCount: TraceFormat.bufferLength, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }
}

/// The header of a chunk; its layout is ``TraceFormat``'s.
struct ChunkHeader: Hashable {
    var version = TraceFormat.version
    var kind: UInt8
    var role: UInt8
    var lane: UInt32
    var index: UInt32
    var number: UInt32
    var events: UInt32
    var payloadLength: UInt32
    var dropped: UInt64
    var base: Int64

    func store(to memory: UnsafeMutableRawPointer) {
        memory.store(TraceFormat.magic, at: 0)
        memory.store(version, at: 4)
        memory.store(kind, at: 6)
        memory.store(role, at: 7)
        memory.store(lane, at: 8)
        memory.store(index, at: 12)
        memory.store(number, at: 16)
        memory.store(events, at: 20)
        memory.store(payloadLength, at: 24)
        memory.store(0 as UInt32, at: 28)
        memory.store(dropped, at: 32)
        memory.store(base, at: 40)
    }

    /// Reads a header; `nil` for one that does not begin as every version's does.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= TraceFormat.headerLength, bytes.number(at: 0, UInt32.self) == TraceFormat.magic
        else { return nil }
        version = bytes.number(at: 4)
        kind = bytes[6]
        role = bytes[7]
        lane = bytes.number(at: 8)
        index = bytes.number(at: 12)
        number = bytes.number(at: 16)
        events = bytes.number(at: 20)
        payloadLength = bytes.number(at: 24)
        dropped = bytes.number(at: 32)
        base = bytes.number(at: 40)
    }

    init(
        kind: TraceFormat.ChunkKind, role: TraceRole, lane: UInt32, index: UInt32, number: UInt32, events: UInt32,
        payloadLength: Int, dropped: UInt64, base: Int64
    ) {
        self.kind = kind.rawValue
        self.role = role.rawValue
        self.lane = lane
        self.index = index
        self.number = number
        self.events = events
        self.payloadLength = UInt32(clamping: payloadLength)
        self.dropped = dropped
        self.base = base
    }
}

extension UnsafeMutableRawPointer {
    /// Stores a number in the trace's byte order.
    @inline(__always)
    func store<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
    }

    @inline(__always)
    func store(_ instant: MonotonicInstant, at offset: Int) {
        store(instant.nanoseconds, at: offset)
    }
}

extension UnsafeRawBufferPointer {
    /// Reads a number in the trace's byte order; the caller has checked that it is there.
    @inline(__always)
    func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type = Number.self) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    @inline(__always)
    func instant(at offset: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: number(at: offset))
    }
}
