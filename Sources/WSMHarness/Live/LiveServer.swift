internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket
internal import Synchronization
package import WSMCore

/// One page for this machine's browser, and a WebSocket that keeps it up to date; on the loopback address only.
///
/// It serves what it is given, bytes and texts, and knows nothing of runs. It has an event loop thread of its own, and does
/// nothing while nobody looks. Safe from any thread. Whoever has started it calls ``finish(last:deadline:)``.
package final class LiveServer: Sendable {
    /// What is served.
    package struct Content: Sendable {
        /// The page at `/`, HTML in UTF-8.
        package var page: String
        /// The only script that the page may run, as a source of a Content-Security-Policy: `'sha256-…'`.
        package var script: String
        /// The texts that a new viewer gets first, in this order; called on the server's thread.
        package var greeting: @Sendable () -> [String]

        package init(page: String, script: String, greeting: @escaping @Sendable () -> [String]) {
            self.page = page
            self.script = script
            self.greeting = greeting
        }
    }

    /// What it bears.
    package struct Limits: Sendable {
        /// The most connections at a time; more are closed at once.
        package var connections = 64
        /// How long a connection may take over its one request and the answer, unless it becomes a WebSocket.
        package var request = TimeSpan.seconds(10)
        /// How long a viewer may take to answer a close.
        package var close = TimeSpan.seconds(1)

        package init() {}
    }

    /// Where the page's WebSocket is.
    package static let socketPath = "/live"

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let viewers: LiveViewers
    /// Its loop is, or will soon be, gone: it must not be given anything any more.
    private let isFinished = Atomic(false)

    /// Where it listens.
    package let port: Int

    /// Where the page is.
    package var address: String { "http://127.0.0.1:\(port)/" }

    /// Listens; port 0 takes a free one.
    ///
    /// - Throws: ``HarnessError`` of the environment when the port cannot be had.
    package static func start(port: Int, content: Content, limits: Limits = Limits()) async throws -> LiveServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let viewers = LiveViewers(loop: group.any(), limits: limits, greeting: content.greeting)
        let answers = LiveAnswers(page: content.page, script: content.script)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard viewers.admit(channel) else { return channel.close(promise: nil) }
                    try configure(channel, answers: answers, deadline: limits.request, viewers: viewers)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
            return LiveServer(group, channel, viewers)
        } catch {
            try? await group.shutdownGracefully()
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw HarnessError(
                .portUnavailable,
                "--live: cannot listen on 127.0.0.1:\(port): \(reason); choose another port, or --live 0 for a free one"
            )
        }
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ channel: any Channel, _ viewers: LiveViewers) {
        self.group = group
        self.channel = channel
        self.viewers = viewers
        port = channel.localAddress?.port ?? 0
    }

    private static func configure(
        _ channel: any Channel, answers: LiveAnswers, deadline: TimeSpan, viewers: LiveViewers
    ) throws {
        let handler = LivePageHandler(answers: answers, deadline: deadline)
        let pipeline = channel.pipeline.syncOperations
        let limit = LiveRequestLimit()
        try pipeline.addHandler(limit)
        let bound = NIOLoopBound((handler, limit), eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: LiveViewerHandler.maxFrameSize, automaticErrorHandling: true,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(mayOpen(head) ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { try viewers.join(channel) }
            })
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: true,
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value.0, promise: nil)
                    context.pipeline.syncOperations.removeHandler(bound.value.1, promise: nil)
                }
            ), withErrorHandling: true)
        try pipeline.addHandler(handler)
    }

    /// Whether a request may open the WebSocket; one that may not gets ``LivePageHandler``'s answer.
    private static func mayOpen(_ head: HTTPRequestHead) -> Bool {
        guard head.uri == socketPath, let host = head.localHost else { return false }
        let origins = head.headers["origin"]
        return origins.count <= 1 && LocalHost.isOwnPage(origin: origins.first, host: host)
    }

    /// Sends a text to all viewers; `make` is called on the server's thread, and only if there is one.
    ///
    /// A viewer that has not taken the one before gets the newest only, once it has.
    package func send(_ make: @escaping @Sendable () -> String) {
        if !isFinished.load(ordering: .acquiring) { viewers.send(make) }
    }

    /// Sends `last`, closes the viewers' sockets in order and stops listening; returns when all have taken it, at the latest
    /// at the deadline, when the others are cut.
    ///
    /// A second call does nothing.
    package func finish(last: String?, deadline: TimeSpan) async {
        guard !isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
        try? await channel.close().get()
        await viewers.finish(last: last, deadline: deadline)
        try? await group.shutdownGracefully()
    }

    /// What stands by for viewers at this moment.
    func load() async -> LiveViewers.Load {
        isFinished.load(ordering: .acquiring) ? LiveViewers.Load() : await viewers.load()
    }
}
