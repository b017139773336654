package import NIOCore
import WSMCore

extension ByteBuffer: LinkBytes {
    package var byteCount: Int { readableBytes }
    package mutating func takeFirst(_ count: Int) -> ByteBuffer { readSlice(length: count) ?? ByteBuffer() }
}
