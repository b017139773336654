import WSMCore

/// One connection through a relay in virtual time: a flow each way, as the live relay has them.
///
/// An end that closes is passed on in order behind what it has sent, and under the same conditions: during a cut the other
/// end hears nothing of it. What is on its way between the relay and an end is its owner's to model.
final class RelayedConnection {
    enum Side {
        /// Who connects: an instance to Redis, a client to an instance.
        case client
        case upstream
    }

    /// What the connection does to its surroundings.
    struct Owner {
        /// Connects to the upstream; false: nobody listens there.
        var reach: () -> Bool
        /// Both ends get an RST.
        var reset: () -> Void
        /// ``RelayedConnection/isClear`` may have changed.
        var changed: () -> Void = {}
    }

    private enum State {
        /// A cut holds it, and its upstream has not heard of it.
        case held
        case open
        /// A cut that is healed has left it dead.
        case dead(cut: Int)
        case closed
    }

    private struct End {
        var flow = LinkFlow<Cargo>()
        var random: CounterRNG
        /// What comes at one instant is one chunk, which is delayed as a whole.
        var chunk: (at: MonotonicInstant, delay: TimeSpan)?
        /// What the other side is told at its end, once it has ended.
        var farewell: (() -> Void)?
        /// It has sent something during the cut that holds the connection.
        var spokeInVain = false
        var wakesAt: MonotonicInstant?
    }

    let number: UInt64
    private let relay: Relay
    private let owner: Owner
    private var client: End
    private var upstream: End
    private var state = State.held
    /// Whether the upstream knows of it.
    private var hasReached = false
    private var conditions = LinkConditions()
    /// Tells a funeral that was called off from the one that is due.
    private var funerals = 0

    init(number: UInt64, relay: Relay, owner: Owner) {
        self.number = number
        self.relay = relay
        self.owner = owner
        client = End(random: relay.delayNumbers(of: number, side: 0))
        upstream = End(random: relay.delayNumbers(of: number, side: 1))
    }

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Whether what the upstream sends passes at once, so that it need not be sent through here.
    var isClear: Bool {
        guard case .open = state else { return false }
        return conditions.isEmpty && upstream.flow.isEmpty
    }

    /// Bytes from one side that the other side does not have yet.
    func waitingBytes(from side: Side) -> Int {
        side == .client ? client.flow.waitingBytes : upstream.flow.waitingBytes
    }

    /// Bytes that the relay takes from a sender before that feels that nobody reads: none while it holds the connection.
    var room: Int { conditions.cut == nil ? LinkConditions.flowLimit : 0 }

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
        guard new.cut == nil else { return hold() }
        switch state {
        case .held, .open: healed(of: old.cut)
        case .dead, .closed: break
        }
        client.spokeInVain = false
        upstream.spokeInVain = false
        run()
        owner.changed()
    }

    private func hold() {
        // The next cut may have come before anybody noticed the last.
        funerals += 1
        if case .dead = state { state = hasReached ? .open : .held }
        owner.changed()
    }

    private func healed(of cut: (disturbance: Int, after: LinkFault.AfterCut)?) {
        if let cut, case .reset(let span) = cut.after { return die(of: cut.disturbance, within: span) }
        guard case .held = state else { return }
        state = .open
        hasReached = owner.reach()
        if !hasReached { reset(by: nil) }
    }

    /// From here on it only waits for a byte, or for its time, to be reset.
    private func die(of cut: Int, within span: TimeSpan) {
        state = .dead(cut: cut)
        let hasEnded = client.farewell != nil || upstream.farewell != nil
        guard !hasEnded, !client.spokeInVain, !upstream.spokeInVain else { return reset(by: cut) }
        funerals += 1
        relay.after(span, number) { [self, funeral = funerals] in
            if case .dead = state, funeral == funerals { reset(by: cut) }
        }
    }

    // MARK: What the sides send

    /// A side has sent something, which comes to the other side in order, unless a reset comes first.
    func send(from side: Side, bytes: Int, _ arrive: @escaping () -> Void) {
        switch state {
        case .closed: return
        case .dead(let cut): return reset(by: cut)
        case .held, .open: break
        }
        let now = relay.now
        let delay = delay(from: side)
        withEnd(side) { end in
            if conditions.cut != nil { end.spokeInVain = true }
            end.flow.take(.bytes(Cargo(bytes: bytes, arrive: arrive)), at: now, delay: delay)
        }
        run()
    }

    private func delay(from side: Side) -> TimeSpan {
        guard !conditions.delays.isEmpty else { return .zero }
        let now = relay.now
        return withEnd(side) { end in
            if let chunk = end.chunk, chunk.at == now { return chunk.delay }
            let delay = conditions.drawDelay(from: &end.random)
            end.chunk = (now, delay)
            return delay
        }
    }

    /// A side ends its connection: the other is told behind all that it sent, and then there is none any more.
    func end(from side: Side, _ farewell: @escaping () -> Void) {
        switch state {
        case .closed: return
        case .dead(let cut): return reset(by: cut)
        // Nobody else knows of it.
        case .held: return close()
        case .open: break
        }
        let now = relay.now
        withEnd(side) { end in
            guard end.farewell == nil else { return }
            end.farewell = farewell
            end.flow.take(.end, at: now)
        }
        run()
    }

    /// Throws away what a side sent last, beyond what its kernel and the relay had taken.
    func discardNewest(from side: Side, beyond limit: Int) {
        withEnd(side) { $0.flow.discardNewest(beyond: limit) }
    }

    // MARK: Moving on

    private func run() {
        pump(from: .client)
        pump(from: .upstream)
    }

    private func pump(from side: Side) {
        while case .open = state {
            switch withEnd(side, { $0.flow.next(at: relay.now) }) {
            case .write(let cargo): cargo.arrive()
            case .end:
                let farewell = withEnd(side) { $0.farewell }
                close()
                farewell?()
            case .reset: reset(by: nil)
            case .wait(let due): return wake(side, at: due)
            case .nothing: return
            }
        }
    }

    private func wake(_ side: Side, at due: MonotonicInstant) {
        if let known = withEnd(side, { $0.wakesAt }), known <= due { return }
        withEnd(side) { $0.wakesAt = due }
        relay.at(due, number) { [self] in
            guard withEnd(side, { $0.wakesAt }) == due else { return }
            withEnd(side) { $0.wakesAt = nil }
            run()
            if isClear { owner.changed() }
        }
    }

    // MARK: The end

    /// Ends both sides with an RST; `disturbance` is what did it, `nil` where the upstream could not be reached.
    func reset(by disturbance: Int?) {
        if isClosed { return }
        let lost = client.flow.discard() + upstream.flow.discard()
        if let disturbance { relay.noteReset(by: disturbance, bytesLost: lost) }
        close()
        owner.reset()
    }

    private func close() {
        state = .closed
        client.flow.discard()
        upstream.flow.discard()
        relay.forget(self)
    }
}
