internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import WSMCore

/// Answers what a browser asks for beside the WebSocket.
///
/// One request a connection; it and its answer must be through by the deadline. Gone once the connection is a WebSocket.
final class LivePageHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answers: LiveAnswers
    private let deadline: TimeAmount
    private var timeout: Scheduled<Void>?
    private var isAnswered = false

    init(answers: LiveAnswers, deadline: TimeSpan) {
        self.answers = answers
        self.deadline = .nanoseconds(deadline.nanoseconds)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: deadline) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A body is nobody's: what came before it has the answer.
        guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
        isAnswered = true
        let answer = answers.answer(to: head)
        let response = HTTPResponseHead(version: .http1_1, status: answer.status, headers: answers.headers(of: answer))
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD, answer.body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A refused WebSocket is told as an error, and then comes as a request like any other.
        if error is NIOWebSocketUpgradeError { return }
        // What is no HTTP has got its 400 by now.
        context.close(promise: nil)
    }
}
