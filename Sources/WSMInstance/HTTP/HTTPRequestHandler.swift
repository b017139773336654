internal import DequeModule
internal import NIOCore
internal import NIOHTTP1
internal import WSMCore

/// Gathers requests, asks the routes for answers, and writes these in the order of the requests.
///
/// A request must be whole within ``deadline``; a body may hold ``maxBody`` bytes. Requests may come before the answers to those
/// before them (RFC 9112, section 9.3.2): each is begun in its order, and ``maxPending`` may wait for their answers before
/// the connection is read again.
final class HTTPRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    static let maxBody = 1 << 20
    static let maxPending = 1024
    /// How long a connection may take for a request, from its opening or from the answer before.
    static let deadline = TimeAmount.seconds(30)
    /// How long a client that does not speak HTTP may take to read that: a socket that is closed on unread bytes is reset,
    /// and the answer is lost.
    private static let lingering = TimeAmount.seconds(1)

    private enum State {
        case idle
        case reading(HTTPRequestHead, ByteBuffer)
        /// Too large: the rest is thrown away, the answer is given at the end.
        case refusing(HTTPRequestHead)
        /// Nothing more is read: the last request has come, or what came is not HTTP.
        case finished
    }

    /// A request that was begun, and its answer once it is there.
    private struct Pending {
        let head: HTTPRequestHead
        var answer: HTTPAnswer?
    }

    private let routes: Routes
    private var state = State.idle
    private var pending: Deque<Pending> = []
    /// The number of the first that is pending.
    private var firstPending = 0
    private var holdsReads = false
    private var flushIsPlanned = false
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

    // MARK: Requests

    func read(context: ChannelHandlerContext) {
        holdsReads = pending.count >= Self.maxPending
        if !holdsReads { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (_, .finished): break
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
            state = head.isKeepAlive ? .idle : .finished
            begin(head, body, context)
        case (.end, .refusing(let head)):
            state = head.isKeepAlive ? .idle : .finished
            let answer = HTTPAnswer(.payloadTooLarge, detail: "A body may hold \(Self.maxBody) bytes")
            pending.append(Pending(head: head, answer: answer))
            writeAnswers(context)
        case (.body, _), (.end, _): break
        }
    }

    private func begin(_ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let number = firstPending + pending.count
        pending.append(Pending(head: head))
        let request = HTTPRequest(
            method: head.method, path: String(WebSocketUpgrade.pathOf(head.uri)), body: Array(body.readableBytesView))
        routes.answer(request, on: context.eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let answer): self.answered(number, answer, context)
            case .failure(let error):
                self.answered(number, HTTPAnswer(.internalServerError, detail: "\(error)"), context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .finished = state { return }
        guard error is HTTPParserError else { return context.close(promise: nil) }
        state = .finished
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "", headers: HTTPHeaders([("Connection", "close")]))
        pending.append(Pending(head: head, answer: HTTPAnswer(.badRequest, detail: "This is not HTTP/1.1")))
        writeAnswers(context)
    }

    // MARK: Answers

    private func answered(_ number: Int, _ answer: HTTPAnswer, _ context: ChannelHandlerContext) {
        pending[number - firstPending].answer = answer
        writeAnswers(context)
    }

    /// Writes what is answered at the front, and plans the flush for the end of the loop's turn.
    private func writeAnswers(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        while let answer = pending.first?.answer, let head = pending.popFirst()?.head {
            firstPending += 1
            write(answer, head, context)
        }
        if !flushIsPlanned {
            flushIsPlanned = true
            context.eventLoop.assumeIsolated().execute { self.flush(context) }
        }
        if holdsReads, pending.count < Self.maxPending { read(context: context) }
    }

    private func write(_ answer: HTTPAnswer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
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
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func flush(_ context: ChannelHandlerContext) {
        flushIsPlanned = false
        guard context.channel.isActive else { return }
        context.flush()
        if case .finished = state, pending.isEmpty {
            context.close(mode: .output, promise: nil)
            startTimeout(context, Self.lingering)
        } else {
            startTimeout(context)
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
