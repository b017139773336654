internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import WSMCore
internal import WSMManagers

/// The way from an HTTP request for `/api/ws/events` to a client of the manager.
struct WebSocketUpgrade: HTTPServerProtocolUpgrader, Sendable {
    static let path = "/api/ws/events"
    let manager: LiveWebSocketManager
    let authenticator: any SocketAuthenticator

    /// The opening handshake is SwiftNIO's; frames are read and written here.
    private let handshake = NIOWebSocketServerUpgrader(
        automaticErrorHandling: false,
        shouldUpgrade: { channel, head in
            guard Self.pathOf(head.uri) == Self.path else { return channel.eventLoop.makeSucceededFuture(nil) }
            var headers = HTTPHeaders()
            if case .token = Subprotocol(headers: head.headers["sec-websocket-protocol"]) {
                headers.add(name: "Sec-WebSocket-Protocol", value: Subprotocol.name)
            }
            return channel.eventLoop.makeSucceededFuture(headers)
        },
        upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })

    init(manager: LiveWebSocketManager, authenticator: any SocketAuthenticator) {
        self.manager = manager
        self.authenticator = authenticator
    }

    static func pathOf(_ uri: String) -> Substring { uri.prefix { $0 != "?" } }

    /// `websocket_events`: a malformed header closes 1002, a refused client is told and closed 1008, any other connects.
    private func welcome(_ socket: any Channel, _ head: HTTPRequestHead) -> EventLoopFuture<Void> {
        let token: String
        switch Subprotocol(headers: head.headers["sec-websocket-protocol"]) {
        case .malformed:
            return refuse(socket, ClientClose(code: 1002))
        case .none: token = ""
        case .token(let given): token = given
        }
        let label = Self.label(of: head.uri)
        let decision = authenticator.authenticate(token: token, on: socket.eventLoop)
        return decision.flatMapWithEventLoop { decision, loop in
            if let message = decision.errorMessage {
                return refuse(socket, ClientClose(code: 1008, lastText: message))
            }
            return loop.makeCompletedFuture {
                try manager.connect(socket, to: .events, label: label)
            }
        }
    }

    private func refuse(_ socket: any Channel, _ close: ClientClose) -> EventLoopFuture<Void> {
        socket.eventLoop.makeCompletedFuture {
            try socket.pipeline.syncOperations.addHandler(RefusedClientHandler(close))
        }
    }

    // MARK: HTTPServerProtocolUpgrader

    var supportedProtocol: String { handshake.supportedProtocol }
    var requiredUpgradeHeaders: [String] { handshake.requiredUpgradeHeaders }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        handshake.buildUpgradeResponse(
            channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders)
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        welcome(context.channel, upgradeRequest)
    }

    // MARK: The request

    /// The value of `client` in the request's query.
    static func label(of uri: String) -> String? {
        guard let query = uri.split(separator: "?", maxSplits: 1).dropFirst().first else { return nil }
        let pair = query.split(separator: "&").first { $0.hasPrefix("client=") }
        return pair.map { String($0.dropFirst("client=".count)) }
    }
}
