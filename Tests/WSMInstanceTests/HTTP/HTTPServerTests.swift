import NIOCore
import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMInstance

@Suite("An instance as an HTTP server", .timeLimit(.minutes(2)))
struct HTTPServerTests {
    /// Keeps what a server says, and when it closes.
    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var text = ""
        private let whole: EventLoopPromise<String>

        init(_ whole: EventLoopPromise<String>) { self.whole = whole }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
        }
        func channelInactive(context: ChannelHandlerContext) { whole.succeed(text) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            whole.fail(error)
            context.close(promise: nil)
        }
    }

    /// Sends bytes in one write and returns all that comes until the server closes.
    private func exchange(_ bytes: [UInt8], with fixture: InstanceFixture) async throws -> String {
        let loop = fixture.group.next()
        let whole = loop.makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Reader(whole)) }
            }
            .connect(host: "127.0.0.1", port: fixture.instances[0].port).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        let timeout = loop.scheduleTask(in: .seconds(20)) { whole.fail(ChannelError.connectTimeout(.seconds(20))) }
        defer { timeout.cancel() }
        return try await whole.futureResult.get()
    }

    private func request(_ method: String, _ path: String, body: String = "", last: Bool = false) -> [UInt8] {
        let connection = last ? "Connection: close\r\n" : ""
        return Array(
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(connection)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                .utf8)
    }

    private func statuses(_ text: String) -> [Int] {
        text.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }
    }

    @Test("Requests that come together are answered in their order", arguments: [ManagerKind.memory, .broadcast])
    func pipelining(kind: ManagerKind) async throws {
        try await InstanceFixture.with(kind, change: { $0.allowsBroadcast = true }) { fixture in
            let fleet = try await fixture.connect(3, direct: false)
            try await fixture.awaitClients(3)
            let texts = (0..<600).map { #"{"number":\#($0)}"# }
            var bytes = request("GET", "/health")
            for text in texts { bytes += request("POST", "/api/broadcast/events", body: text) }
            bytes += request("GET", "/nowhere") + request("DELETE", "/health") + request("GET", "/health", last: true)
            bytes += request("GET", "/health")
            let answers = statuses(try await exchange(bytes, with: fixture))
            #expect(answers == [200] + Array(repeating: 202, count: 600) + [404, 405, 200])
            try await eventually("600 messages for each of 3 clients") {
                let counts = try await received(fleet).values.map(\.count)
                return counts.allSatisfy { $0 >= 600 }
            }
            let inOrder = try await received(fleet).values.allSatisfy { $0 == texts }
            #expect(inOrder)
            _ = try await fleet.finish()
        }
    }

    @Test("What is not HTTP is told so, however much of it there is", arguments: [16, 517, 100_000])
    func noise(count: Int) async throws {
        try await InstanceFixture.with(.memory) { fixture in
            let hello: [UInt8] = [0x16, 0x03, 0x01] + Array(repeating: 0xC0, count: count - 3)
            let text = try await exchange(hello, with: fixture)
            #expect(statuses(text) == [400])
        }
    }

    @Test("A body beyond its limit is refused, and the requests around it are answered")
    func largeBody() async throws {
        try await InstanceFixture.with(.memory, change: { $0.allowsBroadcast = true }) { fixture in
            let body = String(repeating: "x", count: (1 << 20) + 1)
            let bytes =
                request("GET", "/health") + request("POST", "/api/broadcast/events", body: body)
                + request("GET", "/health", last: true)
            let text = try await exchange(bytes, with: fixture)
            #expect(statuses(text) == [200, 413, 200])
        }
    }
}
