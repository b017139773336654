import CZstd

/// Makes the two frames of a chunk from its content; see ``TraceFormat``.
///
/// Belongs to one thread.
final class TraceFrames {
    private let context: OpaquePointer
    private var room: UnsafeMutableRawBufferPointer

    /// - Parameter level: zstd's compression level; a negative one is faster.
    init(level: Int32 = 1) {
        guard let context = wsmCompressorCreate(level) else { preconditionFailure("no memory for a zstd compressor") }
        self.context = context
        room = .allocate(
            byteCount: TraceFormat.sealLength + ZSTD_compressBound(TraceFormat.bufferLength), alignment: 16)
    }

    deinit {
        ZSTD_freeCCtx(context)
        room.deallocate()
    }

    /// The bytes for the file; they are valid until the next call.
    func chunk(_ content: UnsafeRawBufferPointer, number: UInt32) -> UnsafeRawBufferPointer {
        let needed = TraceFormat.sealLength + ZSTD_compressBound(content.count)
        if room.count < needed {
            room.deallocate()
            room = .allocate(byteCount: needed, alignment: 16)
        }
        guard let memory = room.baseAddress else { preconditionFailure("the room for a chunk is not empty") }
        let length = ZSTD_compress2(
            context, memory + TraceFormat.sealLength, room.count - TraceFormat.sealLength, content.baseAddress,
            content.count)
        // With room for the worst case it fails only without memory.
        precondition(ZSTD_isError(length) == 0, "zstd cannot compress a chunk")
        TraceFrames.seal(memory, length: length, number: number)
        return UnsafeRawBufferPointer(start: memory, count: TraceFormat.sealLength + length)
    }

    private static func seal(_ memory: UnsafeMutableRawPointer, length: Int, number: UInt32) {
        let frame = UnsafeRawBufferPointer(start: memory + TraceFormat.sealLength, count: length)
        memory.store(TraceFormat.sealMagic, at: 0)
        memory.store(16 as UInt32, at: 4)
        memory.store(UInt32(clamping: length), at: 8)
        memory.store(number, at: 12)
        memory.store(XXH64.hash(frame, seed: seed(length: UInt32(clamping: length), number: number)), at: 16)
    }

    static func seed(length: UInt32, number: UInt32) -> UInt64 { UInt64(length) | UInt64(number) << 32 }
}
