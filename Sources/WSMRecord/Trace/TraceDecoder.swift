import CZstd

/// Reads the chunks of a trace from its bytes, in whatever pieces they come: a state machine without I/O.
///
/// ``feed(_:)`` what there is, take chunks with ``next()`` until there is none, and at the end of the file ask
/// ``finish()``. The first error ends it.
package struct TraceDecoder: ~Copyable {
    /// What a lane has shown so far.
    private struct Lane {
        var role: UInt8
        var index: UInt32
        var chunks: UInt32 = 0
        var events: UInt64 = 0
        var dropped: UInt64 = 0
    }

    private let context: OpaquePointer
    private var input: [UInt8] = []
    private var start = 0
    private var offset: Int64 = 0
    private var chunk = 0
    private var lanes: [UInt32: Lane] = [:]
    private var content: [UInt8] = []
    /// Whether the end of the trace has been read.
    package private(set) var hasEnded = false

    package init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory for a zstd decompressor") }
        self.context = context
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Events that the lanes have dropped, so far as their chunks tell.
    package var dropped: UInt64 { lanes.values.reduce(0) { $0 &+ $1.dropped } }

    package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            input.removeSubrange(..<start)
            start = 0
        }
        input.append(contentsOf: bytes)
    }

    /// The next whole chunk; `nil` when it needs more bytes.
    package mutating func next() throws(TraceError) -> TraceChunk? {
        let available = input.count - start
        guard !hasEnded || available == 0 else { throw error(.trailingBytes, "there is more behind the trace's end") }
        guard available >= TraceFormat.sealLength else {
            try checkBeginning(available)
            return nil
        }
        let seal = try readSeal()
        let whole = TraceFormat.sealLength + seal.length
        guard available >= whole else { return nil }
        let result = try decode(seal)
        start += whole
        offset += Int64(whole)
        chunk += 1
        return result
    }

    /// At the end of the bytes: throws when the trace does not end there.
    package func finish() throws(TraceError) {
        if chunk == 0, input.isEmpty { throw error(.empty, "the file is empty") }
        if start < input.count {
            throw error(
                hasEnded ? .trailingBytes : .cut,
                hasEnded ? "there is more behind the trace's end" : "the file ends within this chunk")
        }
        if !hasEnded { throw error(.cut, "the file ends before the trace's end: it was cut, or the run was killed") }
    }

    private func error(_ code: TraceError.Code, _ what: String) -> TraceError {
        TraceError(code, offset: offset, chunk: chunk, what)
    }

    // MARK: - Frames

    private struct Seal {
        var length: Int
        var hash: UInt64
    }

    /// Tells at once what cannot be a trace, however short it is.
    private func checkBeginning(_ available: Int) throws(TraceError) {
        let magic = withUnsafeBytes(of: TraceFormat.sealMagic.littleEndian) { Array($0) }
        guard input[start...].prefix(4).elementsEqual(magic.prefix(min(4, available))) else {
            throw error(
                chunk == 0 ? .notATrace : .damaged,
                chunk == 0 ? "this is not a trace of wsmlab" : "no chunk begins here")
        }
    }

    private func readSeal() throws(TraceError) -> Seal {
        try checkBeginning(4)
        let (size, length, number, hash) = input.withUnsafeBytes { bytes in
            let seal = UnsafeRawBufferPointer(rebasing: bytes[start...])
            return (
                seal.number(at: 4, UInt32.self), seal.number(at: 8, UInt32.self), seal.number(at: 12, UInt32.self),
                seal.number(at: 16, UInt64.self)
            )
        }
        guard size == 16, length >= 1, Int(length) <= ZSTD_compressBound(TraceFormat.longestContent) else {
            throw error(.damaged, "its seal is damaged")
        }
        guard Int(number) == chunk else {
            throw error(.outOfOrder, "chunk \(number) stands here: chunks are missing or in another order")
        }
        return Seal(length: Int(length), hash: hash)
    }

    private mutating func decode(_ seal: Seal) throws(TraceError) -> TraceChunk {
        let frameStart = start + TraceFormat.sealLength
        let number = UInt32(clamping: chunk)
        let size = input.withUnsafeBytes { bytes -> Int in
            let frame = UnsafeRawBufferPointer(rebasing: bytes[frameStart..<(frameStart + seal.length)])
            let seed = TraceFrames.seed(length: UInt32(clamping: seal.length), number: number)
            guard XXH64.hash(frame, seed: seed) == seal.hash else { return -1 }
            return Int(wsmFrameContentSize(frame.baseAddress, frame.count))
        }
        guard size >= TraceFormat.headerLength, size <= TraceFormat.longestContent else {
            throw error(.damaged, "its checksum does not fit its bytes")
        }
        if content.count != size { content = Array(repeating: 0, count: size) }
        let written = input.withUnsafeBytes { input in
            content.withUnsafeMutableBytes { content in
                ZSTD_decompressDCtx(
                    context, content.baseAddress, size, input.baseAddress.map { $0 + frameStart }, seal.length)
            }
        }
        guard written == size else { throw error(.damaged, "zstd cannot decompress it") }
        return try open()
    }

    // MARK: - Chunks

    private mutating func open() throws(TraceError) -> TraceChunk {
        guard let header = content.withUnsafeBytes({ ChunkHeader($0) }) else {
            throw error(chunk == 0 ? .notATrace : .impossibleRecord, "its content is not a chunk of a trace")
        }
        guard header.version == TraceFormat.version else {
            throw error(
                .unknownVersion,
                "the trace's version is \(header.version), and this program reads \(TraceFormat.version)")
        }
        guard let kind = TraceFormat.ChunkKind(rawValue: header.kind), let role = TraceRole(rawValue: header.role),
            Int(header.payloadLength) == content.count - TraceFormat.headerLength,
            (kind == .events) == (header.lane != 0 && role != .file)
        else { throw error(.impossibleRecord, "its header contradicts itself") }
        if chunk == 0, kind != .document { throw error(.outOfOrder, "the trace does not begin with a document") }
        if kind == .end {
            try checkTotals()
            hasEnded = true
        } else {
            try follow(header)
        }
        return TraceChunk(
            kind: kind, role: role, lane: header.lane, index: header.index, dropped: header.dropped,
            events: Int(header.events),
            base: header.base, content: content, offset: offset, number: chunk)
    }

    /// Holds a chunk against those of its lane before.
    private mutating func follow(_ header: ChunkHeader) throws(TraceError) {
        var lane = lanes[header.lane] ?? Lane(role: header.role, index: header.index)
        guard lane.chunks == header.number, lane.role == header.role, lane.index == header.index,
            lane.dropped <= header.dropped
        else {
            throw error(
                .outOfOrder, "it is chunk \(header.number) of lane \(header.lane), and \(lane.chunks) was to come")
        }
        lane.chunks += 1
        lane.events += UInt64(header.events)
        lane.dropped = header.dropped
        lanes[header.lane] = lane
    }

    /// Holds the totals at the end against what was read.
    private mutating func checkTotals() throws(TraceError) {
        let payload = content.count - TraceFormat.headerLength
        guard payload % TraceFormat.totalsLength == 0 else { throw error(.impossibleRecord, "its totals are cut") }
        var told: [UInt32: (chunks: UInt32, events: UInt64, dropped: UInt64)] = [:]
        content.withUnsafeBytes { bytes in
            for at in stride(from: TraceFormat.headerLength, to: bytes.count, by: TraceFormat.totalsLength) {
                told[bytes.number(at: at)] = (
                    bytes.number(at: at + 4), bytes.number(at: at + 8), bytes.number(at: at + 16)
                )
            }
        }
        for (lane, totals) in told {
            let known = lanes[lane]
            guard known?.chunks ?? 0 == totals.chunks, known?.events ?? 0 == totals.events,
                known?.dropped ?? 0 <= totals.dropped
            else {
                throw error(.outOfOrder, "lane \(lane) has \(known?.chunks ?? 0) chunks here, and had \(totals.chunks)")
            }
            lanes[lane, default: Lane(role: 0, index: 0)].dropped = totals.dropped
        }
        guard lanes.keys.allSatisfy({ told[$0] != nil }) else {
            throw error(.outOfOrder, "a lane is not among the totals")
        }
    }
}
