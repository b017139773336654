import WSMCore

/// What an entry of the agenda is about; part of the trace hash, so that two runs which differ show it at once.
enum Happening: UInt8 {
    case connect = 1
    case handshake
    case churn
    case ping
    case pong
    case clientReads
    case clientClose
    case disturbance
    case loopTurn
    case socket
    case managerTimer
    case worker
    case broadcastThread
    case publisher
    case redisCommand
    case redisTurn
    case redisReply
    case redisFault
    case load
    case call
    case fault
    case instance
    case conductor
    case core
    case link

    /// Whether it may open, end or hold up a client's session, or tell the observer of anything but receipts.
    ///
    /// All others go on inside of instances and Redis, and do not care what has come to the clients by then.
    var concernsClients: Bool {
        switch self {
        case .loopTurn, .managerTimer, .worker, .broadcastThread, .publisher, .redisCommand, .redisTurn, .redisReply,
            .load, .call:
            false
        default: true
        }
    }
}

/// The virtual clock and the agenda: time passes by going from one entry to the next.
///
/// Everything runs on the caller's thread, inside ``run(until:)``. Deliveries to clients are no entries of their own but
/// cursors (``Courier``): before an entry that concerns clients is performed, all deliveries that come before it are made;
/// before any entry, as long as a delivery may have consequences.
final class Simulator {
    /// Instants start here and not at zero, which stands for "unknown" in stamps and records.
    static let origin = MonotonicInstant(nanoseconds: 1_000_000_000)

    private(set) var now = Simulator.origin
    /// Entries performed so far.
    private(set) var steps = 0
    var hash = TraceHash()
    /// Where the hash has been on its way.
    private(set) var trail = HashTrail()
    /// Makes the deliveries that come before an instant.
    var deliver: (Int64) -> Void = { _ in }
    /// Whether a delivery may do more than be noted: somebody does not take what comes at once.
    var deliversAtOnce: () -> Bool = { true }
    private var queue = EventQueue<Item>()
    private var actions: ContiguousArray<(() -> Void)?> = []
    private var free: ContiguousArray<Int32> = []

    private struct Item {
        var happening: Happening
        var subject: UInt32
        var action: Int32
    }

    /// Puts an action on the agenda; one that is due already comes next.
    ///
    /// - Parameters:
    ///   - instant: When it is due.
    ///   - happening: What it is about.
    ///   - subject: Whom it is about, for the trace hash.
    ///   - action: What to do then; kept until it is done.
    func at(
        _ instant: MonotonicInstant, _ happening: Happening, _ subject: Int = 0, _ action: @escaping () -> Void
    ) {
        let slot: Int32
        if let known = free.popLast() {
            slot = known
            actions[Int(slot)] = action
        } else {
            slot = Int32(actions.count)
            actions.append(action)
        }
        let item = Item(happening: happening, subject: UInt32(truncatingIfNeeded: subject), action: slot)
        queue.push(item, at: max(instant, now).nanoseconds)
    }

    func after(_ span: TimeSpan, _ happening: Happening, _ subject: Int = 0, _ action: @escaping () -> Void) {
        at(now + span, happening, subject, action)
    }

    /// Lets time pass up to `instant`: performs what is due before it or at it, in order.
    func run(until instant: MonotonicInstant) {
        run(until: instant) { false }
    }

    /// Lets time pass until `instant`, or until `condition` holds after some entry.
    ///
    /// Returns whether the condition held.
    @discardableResult
    func run(until instant: MonotonicInstant, orWhen condition: () -> Bool) -> Bool {
        if condition() { return true }
        while let next = queue.nextTime, next <= instant.nanoseconds {
            perform()
            guard !condition() else {
                deliver(now.nanoseconds)
                return true
            }
        }
        deliver(instant.nanoseconds)
        now = max(now, instant)
        return condition()
    }

    /// Forgets what is still on the agenda: its actions hold whom they are about, who in turn hold the simulator.
    func clear() {
        queue = EventQueue()
        actions = []
        free = []
        deliver = { _ in }
        deliversAtOnce = { true }
    }

    private func perform() {
        guard let next = queue.first else { return }
        if next.element.happening.concernsClients || deliversAtOnce() { deliver(next.time) }
        guard let entry = queue.pop() else { return }
        now = MonotonicInstant(nanoseconds: entry.time)
        steps += 1
        hash.mix(
            UInt64(bitPattern: entry.time),
            UInt64(entry.element.happening.rawValue) << 32 | UInt64(entry.element.subject))
        trail.note(step: steps, at: now - Simulator.origin, hash: hash.value)
        let slot = Int(entry.element.action)
        let action = actions[slot]
        actions[slot] = nil
        free.append(entry.element.action)
        action?()
    }
}
