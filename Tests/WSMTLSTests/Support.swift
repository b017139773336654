import Foundation
import NIOCore
import NIOPosix
import Testing
import WSMCertificates
import WSMTLS

let loops = MultiThreadedEventLoopGroup.singleton

extension TLSIdentity {
    init(_ identity: RunAuthority.Identity) {
        self.init(certificate: identity.certificate, privateKey: identity.privateKey)
    }
}

/// A server that echoes what it gets, over TLS.
struct EchoServer {
    let channel: any Channel

    static func start(_ identity: TLSIdentity, handshakeDeadline: TimeAmount = .seconds(30)) async throws -> EchoServer
    {
        let tls = try TLSServer(identity)
        let channel = try await ServerBootstrap(group: loops)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls.addHandlers(to: channel.pipeline.syncOperations, deadline: handshakeDeadline)
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return EchoServer(channel: channel)
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}

/// Collects what comes until there is enough of it, or the channel ends.
final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let wanted: Int
    private let promise: EventLoopPromise<[UInt8]>
    private var bytes: [UInt8] = []
    private var isDone = false

    init(_ wanted: Int, _ promise: EventLoopPromise<[UInt8]>) {
        self.wanted = wanted
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        if bytes.count >= wanted { end() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func end() {
        guard !isDone else { return }
        isDone = true
        promise.succeed(bytes)
    }
}

/// Connects over TLS, echoes `text`, and returns what came back.
func echo(_ text: [UInt8], host: String, port: Int, trust: TLSTrust, deadline: TimeAmount = .seconds(30)) async throws
    -> [UInt8]
{
    let client = try TLSClient(trust: trust)
    let loop = loops.next()
    let received = loop.makePromise(of: [UInt8].self)
    let waiting = loop.makePromise(of: Void.self)
    let channel = try await ClientBootstrap(group: loop)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try client.addHandler(to: pipeline, host: host)
                let waiter = TLSHandshakeWaiter(on: channel.eventLoop, deadline: deadline)
                try pipeline.addHandler(waiter)
                waiter.finished.cascade(to: waiting)
                try pipeline.addHandler(Collector(text.count, received))
            }
        }
        .connect(host: "127.0.0.1", port: port).get()
    do {
        try await waiting.futureResult.get()
    } catch {
        try? await channel.close().get()
        _ = try? await received.futureResult.get()
        throw error
    }
    try await channel.writeAndFlush(ByteBuffer(bytes: text)).get()
    let answer = try await received.futureResult.get()
    try? await channel.close().get()
    return answer
}

/// Sends raw bytes to a port and waits until the other side has closed; returns what it said.
func sendRaw(_ bytes: [UInt8], port: Int) async throws -> [UInt8] {
    let loop = loops.next()
    let received = loop.makePromise(of: [UInt8].self)
    let channel = try await ClientBootstrap(group: loop)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collector(.max, received))
            }
        }
        .connect(host: "127.0.0.1", port: port).get()
    if !bytes.isEmpty { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    return try await received.futureResult.get()
}
