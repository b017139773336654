import NIOCore
import NIOPosix

/// A TCP server that answers the first request's head with bytes of the test's choice, and then says no more.
struct RawServer {
    let listener: any Channel
    var port: Int { listener.localAddress?.port ?? 0 }

    /// `answer` gets the request's `Sec-WebSocket-Key`; `nil`: the server stays silent.
    static func start(_ answer: @escaping @Sendable (_ key: String) -> [UInt8]?) async throws -> RawServer {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RawHandler(answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return RawServer(listener: listener)
    }

    /// A correct answer to the handshake, with further header lines.
    static func switching(_ key: String, headers: String = "") -> String {
        let accept = RawServer.base64(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(accept)\r\n\(headers)\r\n"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[Int(word >> UInt32(18 - 6 * index) & 63)] : "=")
            }
        }
        return text
    }
}

private final class RawHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: @Sendable (String) -> [UInt8]?
    private var request = ""

    init(answer: @escaping @Sendable (String) -> [UInt8]?) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let wasWhole = request.hasSuffix("\r\n\r\n")
        request += String(decoding: Self.unwrapInboundIn(data).readableBytesView, as: UTF8.self)
        guard !wasWhole, request.hasSuffix("\r\n\r\n") else { return }
        let lines = request.split(separator: "\r\n")
        let key = lines.first { $0.hasPrefix("Sec-WebSocket-Key: ") }.map { String($0.dropFirst(19)) } ?? ""
        if let bytes = answer(key) {
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }
}

/// SHA-1 (FIPS 180-4), for the accept key that the test's own server sends.
private enum SHA1 {
    static func digest(_ message: [UInt8]) -> [UInt8] {
        var bytes = message + [0x80]
        while bytes.count % 64 != 56 { bytes.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8((message.count * 8) >> shift & 0xFF)) }
        var h: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        for start in stride(from: 0, to: bytes.count, by: 64) {
            var w = stride(from: start, to: start + 64, by: 4).map { offset in
                bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
            }
            for i in 16..<80 { w.append(rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1)) }
            var v = h
            for i in 0..<80 {
                let (f, k): (UInt32, UInt32) =
                    switch i / 20 {
                    case 0: (v[1] & v[2] | ~v[1] & v[3], 0x5A82_7999)
                    case 1: (v[1] ^ v[2] ^ v[3], 0x6ED9_EBA1)
                    case 2: (v[1] & v[2] | v[1] & v[3] | v[2] & v[3], 0x8F1B_BCDC)
                    default: (v[1] ^ v[2] ^ v[3], 0xCA62_C1D6)
                    }
                v = [rotate(v[0], 5) &+ f &+ v[4] &+ k &+ w[i], v[0], rotate(v[1], 30), v[2], v[3]]
            }
            for i in 0..<5 { h[i] &+= v[i] }
        }
        return h.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
    }

    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
}
