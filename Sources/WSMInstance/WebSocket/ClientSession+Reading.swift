internal import NIOCore
internal import WSMCore
internal import WSMManagers

/// Tells the manager what the client says and when it is gone (`receiver`).
extension ClientSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) { socketOpened(context) }

    func handlerRemoved(context: ChannelHandlerContext) { socketClosed() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            reader.read(bytes) { event in received(event, context) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if !isWritable, shard.evictsWhenFull {
            shard.evict(self)
        } else {
            inbox.post(.writabilityChanged(id, writable: isWritable))
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        socketClosed()
        shard.unregister(id)
        inbox.post(.clientClosed(id))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The close frame is on its way where it is closing.
        if !isClosing { drop() }
    }

    private func received(_ event: ClientFrameReader.Event, _ context: ChannelHandlerContext) {
        switch event {
        case .text(let isPing): inbox.post(.clientText(id, isPing ? .ping : .other))
        case .binary: close(ClientClose(code: 1003, reason: "Only text messages are understood"))
        case .ping(let payload): pong(payload, context)
        case .pong: break
        case .close(let code):
            // Answered with the same code (RFC 6455, section 5.5.1), unless this is the answer to ours.
            close(ClientClose(code: code ?? 1000))
            context.close(promise: nil)
        case .violation(let violation): close(ClientClose(code: violation.closeCode, reason: violation.reason))
        }
    }

    private func pong(_ payload: [UInt8], _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        var answer = context.channel.allocator.buffer(capacity: payload.count + 2)
        TextFrame.appendPong(payload, to: &answer)
        write(answer)
    }
}
