import WSMCore

/// The file side of a trace: numbers the chunks, compresses and writes them, and keeps the totals.
///
/// Belongs to the writer's thread. After a failure it writes nothing more and counts what it is given.
final class TraceJournal {
    private struct Totals {
        var chunks: UInt32 = 0
        var events: UInt64 = 0
        var dropped: UInt64 = 0
    }

    private let file: TraceOutput
    private let frames: TraceFrames
    private var chunks: UInt32 = 0
    private var lanes: [UInt32: Totals] = [:]
    private var unwritten: UInt64 = 0
    /// The latest chunks, where each began and what it held: a full disk takes them back.
    private var latest: [(start: Int64, lane: UInt32, events: UInt64)] = []
    private(set) var failure: TraceWriteError?

    /// What a full disk is given back, so that the run's result has room beside its trace.
    private static let reserve: Int64 = 1 << 20
    private static let longestMemory = 4096

    init(file: TraceOutput, level: Int32) {
        self.file = file
        frames = TraceFrames(level: level)
    }

    func write(_ buffer: TraceBuffer) {
        let content = UnsafeRawBufferPointer(start: buffer.memory, count: buffer.length)
        let start = file.length
        guard append(content) else {
            unwritten += UInt64(buffer.events)
            return
        }
        if latest.count == Self.longestMemory { latest.removeFirst(Self.longestMemory / 2) }
        latest.append((start, buffer.lane, UInt64(buffer.events)))
        lanes[buffer.lane, default: Totals()].chunks += 1
        lanes[buffer.lane, default: Totals()].events += UInt64(buffer.events)
    }

    func writeDocument(_ document: [UInt8]) {
        precondition(document.count <= TraceFormat.longestContent - TraceFormat.headerLength, "a document is too long")
        append(kind: .document, payload: document, events: 1)
    }

    /// The totals of all lanes, which end the trace.
    func writeEnd(dropped: [UInt32: UInt64]) {
        for (lane, count) in dropped { lanes[lane, default: Totals()].dropped = count }
        // An end after a hole would say that all is there.
        guard unwritten == 0 else { return }
        var payload: [UInt8] = []
        for (lane, totals) in lanes.sorted(by: { $0.key < $1.key }) {
            payload.append(little: lane)
            payload.append(little: totals.chunks)
            payload.append(little: totals.events)
            payload.append(little: totals.dropped)
        }
        append(kind: .end, payload: payload, events: 0)
    }

    func outcome(unclosedLanes: Int) -> TraceOutcome {
        var outcome = TraceOutcome()
        outcome.events = lanes.filter { $0.key != 0 }.values.reduce(0) { $0 + $1.events }
        outcome.dropped = lanes.values.reduce(0) { $0 + $1.dropped }
        outcome.unwritten = unwritten
        outcome.unclosedLanes = unclosedLanes
        outcome.bytes = file.length
        outcome.failure = failure
        return outcome
    }

    /// A chunk of the file's own lane, number 0.
    private func append(kind: TraceFormat.ChunkKind, payload: [UInt8], events: UInt32) {
        let header = ChunkHeader(
            kind: kind, role: .file, lane: 0, index: 0, number: lanes[0]?.chunks ?? 0, events: events,
            payloadLength: payload.count, dropped: 0, base: 0)
        var content = [UInt8](repeating: 0, count: TraceFormat.headerLength)
        content.withUnsafeMutableBytes { bytes in
            if let memory = bytes.baseAddress { header.store(to: memory) }
        }
        content += payload
        guard content.withUnsafeBytes({ append($0) }), kind == .document else { return }
        lanes[0, default: Totals()].chunks += 1
        lanes[0, default: Totals()].events += UInt64(events)
    }

    private func append(_ content: UnsafeRawBufferPointer) -> Bool {
        guard failure == nil else { return false }
        do throws(TraceWriteError) {
            try file.append(frames.chunk(content, number: chunks))
            chunks += 1
            return true
        } catch {
            failure = error
            if error.code == .diskFull { makeRoom() }
            return false
        }
    }

    /// Takes the latest chunks out of the file again.
    private func makeRoom() {
        let wanted = file.length - Self.reserve
        while let chunk = latest.popLast() {
            unwritten += chunk.events
            lanes[chunk.lane, default: Totals()].chunks -= 1
            lanes[chunk.lane, default: Totals()].events -= chunk.events
            file.cut(to: chunk.start)
            if chunk.start <= wanted { return }
        }
    }
}

extension [UInt8] {
    /// Appends a number in the trace's byte order.
    mutating func append<Number: FixedWidthInteger>(little number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
