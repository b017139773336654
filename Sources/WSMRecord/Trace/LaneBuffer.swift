import WSMCore

/// One lane's side of a trace: writes records into a buffer, and hands it over when it is full or old.
///
/// Each chunk can be read alone: the definitions of messages, and the clock that receipts count from, begin anew in it.
struct LaneBuffer {
    /// A message that the current chunk has defined.
    private struct Slot {
        var stamp: ProbeStamp
        var intact: Bool
        /// The chunk that it was defined in; 0 for none.
        var chunk: UInt32
    }

    /// A chunk is handed over when its first event is so old.
    static let longestAge: Int64 = 1_000_000_000
    /// Without a free buffer, only every so many events ask for one.
    private static let patience: UInt64 = 64

    let lane: UInt32
    let role: TraceRole
    let index: UInt32
    private let pool: TracePool
    private let slots: UnsafeMutablePointer<Slot>
    private var buffer: TraceBuffer?
    private var cursor = 0
    private var limit = 0
    private var events: UInt32 = 0
    private var base: Int64 = 0
    /// The instant of the last receipt; zero before the first.
    private(set) var clock: Int64 = 0
    private var dueAt: Int64 = .max
    private var chunks: UInt32 = 0
    private(set) var dropped: UInt64 = 0
    private var isClosed = false

    init(lane: UInt32, role: TraceRole, index: UInt32, pool: TracePool) {
        self.lane = lane
        self.role = role
        self.index = index
        self.pool = pool
        // Only clients receive.
        let count = role == .clients ? TraceFormat.slots : 0
        slots = .allocate(capacity: count)
        let none = ProbeStamp(run: 0, publisher: PublisherID(0), sequence: 0, intended: .init(nanoseconds: 0))
        slots.initialize(repeating: Slot(stamp: none, intact: false, chunk: 0), count: count)
    }

    /// Gives the memory back; the lane's owner calls it once, at its end.
    func deallocate() {
        slots.deallocate()
    }

    /// Room for a record of `length` bytes that happened at `instant`; `nil` when the event is dropped.
    @inline(__always)
    mutating func record(_ kind: TraceFormat.Record, text: Int = 0, at instant: Int64) -> UnsafeMutableRawPointer? {
        guard let room = reserve(kind.length + text, at: instant) else {
            dropped &+= 1
            return nil
        }
        events &+= 1
        room.store(kind.rawValue, at: 0)
        return room
    }

    /// One receipt: eight bytes for a message that the chunk has defined already.
    @inline(__always)
    mutating func received(session: Int, stamp: ProbeStamp, intact: Bool, at instant: Int64) {
        // Both records together, so that a chunk never ends between a definition and its receipt.
        guard cursor &+ 68 &+ 16 <= limit && instant < dueAt || rotate(68 + 16, at: instant) else {
            dropped &+= 1
            return
        }
        guard let memory = buffer?.memory else { return }
        let number =
            Int(truncatingIfNeeded: stamp.sequence &+ UInt64(stamp.publisher.rawValue) &* 641)
            & (TraceFormat.slots - 1)
        let slot = slots + number
        if slot.pointee.chunk != chunks || slot.pointee.intact != intact || slot.pointee.stamp != stamp {
            slot.pointee = Slot(stamp: stamp, intact: intact, chunk: chunks)
            define(slot.pointee, number, memory + cursor)
            cursor &+= 68
        }
        events &+= 1
        let delta = instant &- clock
        clock = instant
        if delta >= 0, delta < Int64(TraceFormat.shortLimit), UInt(bitPattern: session) < UInt(TraceFormat.shortLimit) {
            let word =
                UInt64(TraceFormat.Record.received.rawValue) | UInt64(number) << 4
                | UInt64(UInt(bitPattern: session)) << 16 | UInt64(bitPattern: delta) << 40
            memory.store(word, at: cursor)
            cursor &+= 8
        } else {
            let room = memory + cursor
            room.store(UInt32(TraceFormat.Record.receivedWide.rawValue) | UInt32(number) << 4, at: 0)
            room.store(UInt32(clamping: session), at: 4)
            room.store(instant, at: 8)
            cursor &+= 16
        }
    }

    @inline(never)
    private func define(_ message: Slot, _ number: Int, _ room: UnsafeMutableRawPointer) {
        let stamp = message.stamp
        room.store(UInt16(TraceFormat.Record.defined.rawValue) | UInt16(number) << 4, at: 0)
        room.store((message.intact ? 1 : 0) | stamp.kind.rawValue << 1, at: 2)
        room.store(stamp.channel, at: 3)
        room.store(stamp.run, at: 4)
        room.store(stamp.publisher.rawValue, at: 8)
        room.store(stamp.process, at: 12)
        room.store(stamp.step, at: 16)
        room.store(0 as UInt16, at: 18)
        room.store(stamp.sequence, at: 20)
        room.store(stamp.intended, at: 28)
        room.store(stamp.sent, at: 36)
        room.store(stamp.queued, at: 44)
        room.store(stamp.dequeued, at: 52)
        room.store(stamp.published, at: 60)
    }

    // MARK: - Buffers

    @inline(__always)
    private mutating func reserve(_ length: Int, at instant: Int64) -> UnsafeMutableRawPointer? {
        guard cursor &+ length <= limit && instant < dueAt || rotate(length, at: instant), let buffer else {
            return nil
        }
        defer { cursor &+= length }
        return buffer.memory + cursor
    }

    /// Hands over what there is and takes a buffer for at least `length` bytes; false when there is none.
    @inline(never)
    private mutating func rotate(_ length: Int, at instant: Int64) -> Bool {
        let hadBuffer = buffer != nil
        handOver()
        guard !isClosed, hadBuffer || dropped % Self.patience == 0, let next = pool.take() else { return false }
        buffer = next
        cursor = TraceFormat.headerLength
        limit = TraceFormat.bufferLength
        base = instant
        clock = instant
        dueAt = instant &+ Self.longestAge
        chunks &+= 1
        return true
    }

    /// Hands over what there is when its first event was at `instant` or before.
    mutating func handOver(olderThan instant: MonotonicInstant) {
        if base <= instant.nanoseconds { handOver() }
    }

    mutating func handOver() {
        guard let full = buffer else { return }
        ChunkHeader(
            kind: .events, role: role, lane: lane, index: index, number: chunks &- 1, events: events,
            payloadLength: cursor - TraceFormat.headerLength, dropped: dropped, base: base
        ).store(to: full.memory)
        full.length = cursor
        full.lane = lane
        full.events = events
        buffer = nil
        cursor = 0
        limit = 0
        events = 0
        dueAt = .max
        pool.handOver(full)
    }

    /// The last of the lane: what comes later is dropped and counted nowhere.
    mutating func close() {
        guard !isClosed else { return }
        handOver()
        isClosed = true
        pool.laneClosed(lane, dropped: dropped)
    }
}
