internal import NIOCore
internal import NIOHTTP1
internal import WSMCore

/// Gathers one request at a time, asks the routes for an answer, and writes it.
///
/// A request must be whole within ``deadline``; a body may hold ``maxBody`` bytes.
final class HTTPRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    static let maxBody = 1 << 20
    /// How long a connection may take for a request, from its opening or from the answer before.
    static let deadline = TimeAmount.seconds(30)

    private enum State {
        case idle
        case reading(HTTPRequestHead, ByteBuffer)
        /// Too large: the rest is thrown away, the answer is sent at the end.
        case refusing(HTTPRequestHead)
        case answering
        /// What came is not HTTP: it was said, and the rest is read and thrown away.
        case refused
    }

    /// How long a client that does not speak HTTP may take to read that: a socket that is closed on unread bytes is reset,
    /// and the answer is lost.
    private static let lingering = TimeAmount.seconds(1)

    private let routes: Routes
    private var state = State.idle
    private var timeout: Scheduled<Void>?

    init(routes: Routes) {
        self.routes = routes
    }

    func handlerAdded(context: ChannelHandlerContext) { startTimeout(context) }
    func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), _):
            state = .reading(head, context.channel.allocator.buffer(capacity: 0))
        case (.body(var part), .reading(let head, var body)):
            guard body.readableBytes + part.readableBytes <= Self.maxBody else {
                state = .refusing(head)
                return
            }
            body.writeBuffer(&part)
            state = .reading(head, body)
        case (.end, .reading(let head, let body)):
            state = .answering
            answer(head, body, context)
        case (.end, .refusing(let head)):
            state = .answering
            write(HTTPAnswer(.payloadTooLarge, detail: "A body may hold \(Self.maxBody) bytes"), head, context)
        case (.body, _), (.end, _): break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .refused = state { return }
        guard error is HTTPParserError else { return context.close(promise: nil) }
        state = .refused
        let headers = HTTPHeaders([("Connection", "close"), ("Content-Length", "0")])
        let response = HTTPResponseHead(version: .http1_1, status: .badRequest, headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        startTimeout(context, Self.lingering)
    }

    private func answer(_ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let request = HTTPRequest(
            method: head.method, path: String(WebSocketUpgrade.pathOf(head.uri)), body: Array(body.readableBytesView))
        routes.answer(request, on: context.eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let answer): self.write(answer, head, context)
            case .failure(let error):
                self.write(HTTPAnswer(.internalServerError, detail: "\(error)"), head, context)
            }
        }
    }

    private func write(_ answer: HTTPAnswer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        var headers = HTTPHeaders()
        if !answer.body.isEmpty { headers.add(name: "Content-Type", value: answer.contentType) }
        if answer.status != .noContent { headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)") }
        if answer.status == .upgradeRequired { headers.add(name: "Upgrade", value: "websocket") }
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let response = HTTPResponseHead(version: head.version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if !answer.body.isEmpty, head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
        }
        state = .idle
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if head.isKeepAlive {
            startTimeout(context)
        } else {
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    private func startTimeout(_ context: ChannelHandlerContext, _ time: TimeAmount = HTTPRequestHandler.deadline) {
        timeout?.cancel()
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}

/// A whole request.
struct HTTPRequest: Sendable {
    var method: HTTPMethod
    /// Without the query.
    var path: String
    var body: [UInt8]
}

/// What is answered.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var body: String
    var contentType: String

    init(_ status: HTTPResponseStatus, json: String = "") {
        self.status = status
        body = json
        contentType = "application/json"
    }

    init(_ status: HTTPResponseStatus, text: String, contentType: String) {
        self.status = status
        body = text
        self.contentType = contentType
    }

    /// A refusal, as the reference words it.
    init(_ status: HTTPResponseStatus, detail: String) {
        self.init(status, json: #"{"detail":\#(JSONString.quoted(detail)),"status":\#(status.code)}"#)
    }
}
