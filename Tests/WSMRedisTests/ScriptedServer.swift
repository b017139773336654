import NIOCore
import NIOPosix

@testable import WSMRedis

/// A server that answers each command with the bytes that a test gives.
struct ScriptedServer {
    /// The answer to a command, given its words and the server's own port.
    typealias Answer = @Sendable (_ words: [String], _ port: Int) -> String

    let url: RedisURL
    /// Every command that came, its words with blanks between.
    let commands: Recorder<String>
    private let channel: any Channel

    static func start(_ answer: @escaping Answer) async throws -> ScriptedServer {
        let commands = Recorder<String>()
        let channel = try await ServerBootstrap(group: loops)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(
                        ScriptHandler(commands: commands, answer: answer))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        return ScriptedServer(
            url: RedisURL(address: .tcp(host: "127.0.0.1", port: port)), commands: commands, channel: channel)
    }

    func stop() async throws {
        try await channel.close().get()
    }
}

/// Commands are arrays of strings, so the reader of replies reads them too.
private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let decoder = RedisReplyDecoder()
    private let commands: Recorder<String>
    private let answer: ScriptedServer.Answer

    init(commands: Recorder<String>, answer: @escaping ScriptedServer.Answer) {
        self.commands = commands
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let port = context.channel.localAddress?.port ?? 0
        do {
            try decoder.decode(unwrapInboundIn(data)) { command in
                guard case .array(let parts) = command else { return }
                let words = parts.compactMap(\.text)
                commands.append(words.joined(separator: " "))
                context.write(wrapOutboundOut(ByteBuffer(string: answer(words, port))), promise: nil)
            }
        } catch {
            context.close(promise: nil)
        }
        context.flush()
    }
}
