import NIOCore
import NIOPosix
import WSMCore

/// One connection through a relay: two sockets on one event loop, and a flow each way.
///
/// An end that closes or vanishes is passed on in order behind what it has sent, and under the same conditions: during a cut
/// the other end hears nothing of it. Confined to the relay's loop.
final class LinkConnection {
    enum Side {
        case client
        case upstream

        var other: Side { self == .client ? .upstream : .client }
    }

    private enum State {
        /// A cut holds it, or the upstream is being connected to.
        case held
        case connecting
        case open
        /// A cut that is healed has left it dead.
        case dead(cut: Int)
        case closed
    }

    /// A socket with what comes from it.
    private struct End {
        var channel: (any Channel)?
        var flow = LinkFlow<ByteBuffer>()
        var random: CounterRNG
        var reads = false
        /// Its FIN, or its disappearance, has been taken into the flow.
        var hasEnded = false
        /// The flow has brought its end to the other side.
        var isDelivered = false
        var timer: (due: MonotonicInstant, scheduled: Scheduled<Void>)?
    }

    let number: UInt64
    private let board: LinkBoard
    private let loop: any EventLoop
    private var client: End
    private var upstream: End
    private var state = State.held
    private var conditions = LinkConditions()
    private var funeral: Scheduled<Void>?

    init(number: UInt64, client: any Channel, board: LinkBoard) {
        self.number = number
        self.board = board
        loop = client.eventLoop
        self.client = End(channel: client, random: board.delayNumbers(of: number, side: 0))
        upstream = End(channel: nil, random: board.delayNumbers(of: number, side: 1))
    }

    private func withEnd<Result>(_ side: Side, _ body: (inout End) -> Result) -> Result {
        switch side {
        case .client: body(&client)
        case .upstream: body(&upstream)
        }
    }

    // MARK: Conditions

    /// Goes on under new conditions; the first call sets it going.
    func apply(_ new: LinkConditions) {
        let old = conditions
        conditions = new
        new.apply(to: &client.flow, &upstream.flow, insteadOf: old)
        switch (state, new.cut) {
        case (.held, nil):
            if let cut = old.cut, case .reset(let span) = cut.after {
                die(of: cut.disturbance, within: span)
            } else {
                connect()
            }
        case (.open, nil):
            if let cut = old.cut, case .reset(let span) = cut.after { die(of: cut.disturbance, within: span) }
        case (.dead, .some):
            // The next cut has come before anybody noticed the last.
            funeral?.cancel()
            state = upstream.channel == nil ? .held : .open
        case (.held, _), (.connecting, _), (.open, _), (.dead, _), (.closed, _): break
        }
        run()
    }

    /// From here on it only waits for a byte, or for its time, to be reset.
    private func die(of cut: Int, within span: TimeSpan) {
        state = .dead(cut: cut)
        guard !client.hasEnded, !upstream.hasEnded else { return reset(by: cut) }
        funeral = loop.assumeIsolated().scheduleTask(in: .nanoseconds(span.nanoseconds)) { self.reset(by: cut) }
    }

    // MARK: What the sockets report

    func received(_ bytes: ByteBuffer, from side: Side) {
        switch state {
        case .closed: return
        case .dead(let cut): return reset(by: cut)
        case .held, .connecting, .open: break
        }
        let delay = withEnd(side) { conditions.drawDelay(from: &$0.random) }
        for delayed in conditions.delays { board.noteDelayed(by: delayed.disturbance) }
        withEnd(side) { $0.flow.take(.bytes(bytes), at: .now(), delay: delay) }
        run()
    }

    /// How a side has ended.
    enum Ending {
        /// Its FIN; it still receives.
        case finished
        /// Its socket is closed.
        case closed
        /// Its socket is closed by an error, a reset for instance.
        case broken
    }

    /// The side sends no more.
    func ended(_ side: Side, _ ending: Ending) {
        if ending != .finished { withEnd(side) { $0.channel = nil } }
        switch state {
        case .closed: return
        case .dead(let cut): return reset(by: cut)
        // Nobody else knows of it.
        case .held: return close()
        case .connecting, .open: break
        }
        // NIO closes a socket at its FIN when this side has finished already: in good order, unlike any other close.
        let isOrderly = ending == .finished || (ending == .closed && withEnd(side.other) { $0.isDelivered })
        withEnd(side) { end in
            guard !end.hasEnded else { return }
            end.hasEnded = true
            end.flow.take(isOrderly ? .end : .reset, at: .now())
        }
        run()
    }

    func writabilityChanged() { run() }

    // MARK: Moving bytes

    /// Moves what may move, and reads where there is room.
    private func run() {
        pump(from: .client)
        pump(from: .upstream)
        steerReading(.client)
        steerReading(.upstream)
    }

    private func pump(from side: Side) {
        guard case .open = state else { return }
        // A side that is gone takes nothing; its own end is on its way to this one.
        guard let target = withEnd(side.other, { $0.channel }) else { return }
        var wrote = false
        while target.isWritable {
            switch withEnd(side, { $0.flow.next(at: .now()) }) {
            case .write(let bytes):
                count(bytes.readableBytes, from: side)
                target.write(bytes, promise: nil)
                wrote = true
                continue
            case .end: return flush(target) { self.deliverEnd(of: side, to: target) }
            case .reset: return flush(target) { self.reset(by: nil) }
            case .wait(let due): wake(side, at: due)
            case .nothing: break
            }
            break
        }
        if wrote { target.flush() }
    }

    /// Calls back once all that was written has left: closing a socket throws away what has not.
    private func flush(_ target: any Channel, _ body: @escaping () -> Void) {
        target.writeAndFlush(ByteBuffer()).assumeIsolated().whenComplete { _ in body() }
    }

    private func deliverEnd(of side: Side, to target: any Channel) {
        guard case .open = state else { return }
        withEnd(side) { $0.isDelivered = true }
        if client.isDelivered, upstream.isDelivered { return close() }
        target.close(mode: .output, promise: nil)
    }

    private func count(_ bytes: Int, from side: Side) {
        switch side {
        case .client: board.traffic.bytesUp += bytes
        case .upstream: board.traffic.bytesDown += bytes
        }
    }

    private func wake(_ side: Side, at due: MonotonicInstant) {
        let armed = withEnd(side) { $0.timer }
        if let armed {
            if armed.due <= due { return }
            armed.scheduled.cancel()
        }
        let delay = max(0, (due - .now()).nanoseconds)
        let timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) {
            self.withEnd(side) { $0.timer = nil }
            self.run()
        }
        withEnd(side) { $0.timer = (due, timer) }
    }

    private func steerReading(_ side: Side) {
        let wanted: Bool
        switch state {
        case .dead: wanted = true
        case .open: wanted = withEnd(side) { $0.flow.takesMore }
        case .held, .connecting, .closed: wanted = false
        }
        let channel = withEnd(side) { end -> (any Channel)? in
            guard end.reads != wanted else { return nil }
            end.reads = wanted
            return end.channel
        }
        // A channel that has just closed refuses, and needs it no more.
        try? channel?.syncOptions?.setOption(.autoRead, value: wanted)
    }

    private func connect() {
        state = .connecting
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // A Unix socket has no such option.
                    try? channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
                    try channel.pipeline.syncOperations.addHandler(LinkEndHandler(bound.value, .upstream))
                }
            }
            .connect(to: board.upstream)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel): self.connected(channel)
                case .failure:
                    self.board.traffic.unreachable += 1
                    self.reset(by: nil)
                }
            }
    }

    private func connected(_ channel: any Channel) {
        guard case .connecting = state else { return channel.close(promise: nil) }
        upstream.channel = channel
        state = .open
        run()
    }

    // MARK: The end

    /// Ends both sides with an RST; `disturbance` is what did it, `nil` where an end did.
    func reset(by disturbance: Int?) {
        if case .closed = state { return }
        let lost = client.flow.discard() + upstream.flow.discard()
        if let disturbance { board.noteReset(by: disturbance, bytesLost: lost) }
        for channel in [client.channel, upstream.channel].compactMap({ $0 }) {
            // With no time to linger close(2) sends an RST (tcp(7), socket(7)).
            (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
        }
        close()
    }

    /// Closes both sockets.
    func close() {
        if case .closed = state { return }
        state = .closed
        client.timer?.scheduled.cancel()
        upstream.timer?.scheduled.cancel()
        funeral?.cancel()
        client.channel?.close(promise: nil)
        upstream.channel?.close(promise: nil)
        board.forget(self)
    }
}
