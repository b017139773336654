import NIOCore
import NIOPosix
import Synchronization

/// A TCP peer that says what a test wants, byte by byte, and keeps what it hears; it reads nothing if it is told so.
final class RawPeer: Sendable {
    private let channel: any Channel
    private let handler: Keeper

    static func connect(port: Int, reads: Bool = true) async throws -> RawPeer {
        let handler = Keeper()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 18 : 1 << 12)
            .channelInitializer { $0.pipeline.addHandler(handler) }
            .connect(host: "127.0.0.1", port: port).get()
        return RawPeer(channel, handler)
    }

    private init(_ channel: any Channel, _ handler: Keeper) {
        self.channel = channel
        self.handler = handler
    }

    deinit { channel.close(promise: nil) }

    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    func send(_ text: String) { send(Array(text.utf8)) }

    /// Reads once.
    func read() { channel.read() }

    func close() { channel.close(promise: nil) }

    var bytes: [UInt8] { handler.state.withLock { $0.bytes } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// Whether the server has closed.
    var isClosed: Bool { handler.state.withLock { $0.isClosed } }

    /// The status line's code; `nil` before it is there.
    var status: Int? {
        let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
        return words.count > 1 && words[0] == "HTTP/1.1" ? Int(words[1]) : nil
    }

    /// What came after the head.
    var body: [UInt8] {
        let end = Array("\r\n\r\n".utf8)
        guard let start = bytes.firstRange(of: end)?.upperBound else { return [] }
        return Array(bytes[start...])
    }

    /// The opening handshake for ``LiveServer``'s WebSocket.
    static func opening(host: String? = "127.0.0.1", origin: String? = nil, path: String = "/live") -> String {
        "GET \(path) HTTP/1.1\r\n" + (host.map { "Host: \($0)\r\n" } ?? "") + (origin.map { "Origin: \($0)\r\n" } ?? "")
            + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    }

    /// A frame as a client sends it, its mask all zeros.
    static func frame(_ opcode: UInt8, _ payload: [UInt8] = [], isMasked: Bool = true) -> [UInt8] {
        precondition(payload.count < 1 << 16)
        let mask: UInt8 = isMasked ? 0x80 : 0
        let length =
            payload.count < 126
            ? [mask | UInt8(payload.count)] : [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        return [0x80 | opcode] + length + (isMasked ? [0, 0, 0, 0] : []) + payload
    }

    /// The frames that came after the head: opcode and payload.
    var frames: [(opcode: UInt8, payload: [UInt8])] {
        var rest = body[...]
        var frames: [(UInt8, [UInt8])] = []
        while rest.count >= 2 {
            let start = rest.startIndex
            var (length, head) = (Int(rest[start + 1] & 0x7F), 2)
            if length == 126, rest.count >= 4 {
                (length, head) = (Int(rest[start + 2]) << 8 | Int(rest[start + 3]), 4)
            } else if length == 127, rest.count >= 10 {
                (length, head) = (rest[(start + 2)..<(start + 10)].reduce(0) { $0 << 8 | Int($1) }, 10)
            }
            guard rest.count >= head + length else { break }
            frames.append((rest[start] & 0xF, Array(rest[(start + head)..<(start + head + length)])))
            rest = rest[(start + head + length)...]
        }
        return frames
    }

    var texts: [String] { frames.filter { $0.opcode == 1 }.map { String(decoding: $0.payload, as: UTF8.self) } }

    /// The code of the close frame that came; `nil` without.
    var closeCode: Int? {
        frames.first { $0.opcode == 8 }.flatMap {
            $0.payload.count >= 2 ? Int($0.payload[0]) << 8 | Int($0.payload[1]) : nil
        }
    }
}

/// Keeps all bytes.
private final class Keeper: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    struct State {
        var bytes: [UInt8] = []
        var isClosed = false
    }

    let state = Mutex(State())

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) }
    }

    func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
