import NIOCore
import WSMCore
import WSMRecord

/// The clients of one event loop with their sink, their timer and their counters.
///
/// Confined to that loop.
final class FleetShard<Sink: DeliverySink & SendableMetatype>: FleetPart {
    /// One client of the plan.
    struct Client {
        let plan: FleetClient
        var life = ClientLifecycle()
        /// The newest attempt or session, which timers and answers are held against.
        var connection: UInt32 = 0
        /// How many delays have been drawn.
        var draws: UInt32 = 0
        var session: ClientSession<Sink>?
    }

    /// An attempt whose handshake has not ended.
    struct Attempt {
        let slot: Int
        let attemptedAt: MonotonicInstant
        var socket: ClientSocket?
        /// Its handshake has ended well, and it is to be refused.
        var awaitsRefusal = false
    }

    let loop: SocketLoop
    let sink: Sink
    let options: FleetOptions
    let progress: FleetProgress
    var endpoints: [ResolvedEndpoint] = []
    var random: FleetRandom
    var statistics = FleetStatistics()
    var clients: [Client] = []
    var slotOfClient: [UInt32: Int] = [:]
    var attempts: [UInt32: Attempt] = [:]
    /// Sessions that have ended for the sink and whose socket is still open.
    var closing: [UInt32: ClientSession<Sink>] = [:]
    /// Sockets of clients that vanished, by their connections.
    var vanished: [UInt32: ClientSession<Sink>] = [:]
    /// What was wanted so far, by its number.
    var disturbances: [FleetDisturbance.Kind] = []
    var lastConnection: UInt32 = 0
    /// The load is over: slow readers read as fast as they can, and nobody is stalled any more.
    var hasReleased = false
    /// No client connects any more; those that are connected wait for the server to close.
    var isAwaitingCloses = false
    var ending: Ending?
    /// The client whose receive buffer was looked at last.
    var nextSampled = 0

    private var agenda = Agenda()
    private var timer = WakeTimer()

    init(index: Int, loop: SocketLoop, sink: Sink, options: FleetOptions, progress: FleetProgress) {
        self.loop = loop
        self.sink = sink
        self.options = options
        self.progress = progress
        self.random = FleetRandom(seed: options.seed, shard: index)
    }

    /// Takes its part of the connect plan.
    func begin(_ plan: [FleetClient], endpoints: [ResolvedEndpoint], startingAt start: MonotonicInstant) {
        loop.assertInEventLoop()
        guard ending == nil else { return }
        self.endpoints = endpoints
        clients.reserveCapacity(plan.count)
        for client in plan {
            let slot = clients.count
            clients.append(Client(plan: client))
            slotOfClient[client.index] = slot
            agenda.add(.connect, at: start + client.connectAt, slot: slot)
            if let interval = options.pingInterval {
                // Golden-ratio steps: any number of neighbours lie evenly in the interval.
                let phase = Double(client.index &* 0x9E37_79B1) * 0x1p-32
                agenda.add(.ping, at: start + client.connectAt + interval.scaled(by: phase), slot: slot)
            }
        }
        arm()
    }

    /// Takes its part of a churn plan.
    func churn(_ plan: [FleetChurn]) {
        loop.assertInEventLoop()
        guard ending == nil else { return }
        for churn in plan {
            if let slot = slotOfClient[churn.client] { agenda.add(.churn, at: churn.at, slot: slot) }
        }
        arm()
    }

    /// Lets every slow reader read as fast as it can, those of later sessions too.
    func releaseSlowReaders() {
        loop.assertInEventLoop()
        for client in clients { client.session?.releaseThrottle() }
        releaseDisturbed()
    }

    // MARK: The timer

    func schedule(_ task: Agenda.Task, at due: MonotonicInstant, slot: Int = 0, connection: UInt32 = 0) {
        agenda.add(task, at: due, slot: slot, connection: connection)
        arm()
    }

    func clearAgenda() {
        agenda.removeAll()
        timer.cancel()
    }

    /// Sets the event loop's timer to the first entry.
    private func arm() {
        if let due = agenda.nextDue { timer.arm(for: due, on: loop) { self.wake() } }
    }

    private func wake() {
        timer.hasFired()
        // A bounded number a turn: between two turns the loop reads its sockets.
        for _ in 0..<64 {
            let now = MonotonicInstant.now()
            guard let entry = agenda.popDue(at: now) else { break }
            perform(entry, at: now)
        }
        arm()
    }

    private func perform(_ entry: Agenda.Entry, at now: MonotonicInstant) {
        let slot = Int(entry.slot)
        switch entry.task {
        case .connect:
            statistics.lateness.record(now - entry.due)
            connect(slot, at: now)
        case .churn:
            statistics.lateness.record(now - entry.due)
            churn(slot, at: now)
        case .ping:
            statistics.lateness.record(now - entry.due)
            ping(slot, due: entry.due, at: now)
        case .reconnect:
            statistics.reconnects += 1
            connect(slot, at: now)
        case .read:
            if let session = clients[slot].session, session.connection == entry.connection { session.readNow() }
        case .disturb: disturb(slot, by: Int(entry.connection), at: now)
        case .resume:
            if let session = clients[slot].session, session.connection == entry.connection { resume(session, at: now) }
        case .pongDeadline: pongIsDue(slot, connection: entry.connection, at: now)
        case .connectDeadline:
            let socket = attempts[entry.connection]?.socket
            if attempts[entry.connection]?.awaitsRefusal == true {
                refusalEnded(entry.connection, .admitted)
            } else {
                attemptFailed(entry.connection, ConnectFailure.timedOut)
            }
            socket?.close()
        case .closeDeadline:
            closing[entry.connection]?.abandon()
        case .endDeadline:
            abandonAll()
        }
    }

    private func ping(_ slot: Int, due: MonotonicInstant, at now: MonotonicInstant) {
        guard let interval = options.pingInterval else { return }
        var next = due + interval
        // A loop that stood still for long does not make up for the pings it missed.
        if next <= now { next = now + interval }
        agenda.add(.ping, at: next, slot: slot)
        guard let session = clients[slot].session else { return }
        if !session.ping(at: now) { statistics.pingsUnanswered += 1 }
        statistics.pingsSent += 1
        if let timeout = options.pongTimeout {
            agenda.add(.pongDeadline, at: now + timeout, slot: slot, connection: session.connection)
        }
    }
}
