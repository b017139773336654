public import WSMCore

/// The life of a `ProcessDataBroadcastThread`, without the thread.
///
/// Reference: `services/process_broadcast_thread.py`. Any exception ends it for good (``ThreadOnError/exit``), while the
/// queue grows and nobody notices; `stop()` waits five seconds and does not drain.
///
/// Kinds of event that do not fit the state: a second `stop` is ignored; the end of a broadcast that was not begun is the
/// driver's fault and traps.
public struct BroadcastThreadMachine: Sendable {
    private enum State: Hashable {
        case running
        case broadcasting
        case stopping(until: MonotonicInstant)
        case stoppingWhileBroadcasting(until: MonotonicInstant)
        case ended(BroadcastThreadEnd)
    }

    /// What the thread does next.
    public enum Action: Hashable, Sendable {
        /// Take up to this many updates and broadcast them, or wait for one if there is none.
        case take(upTo: Int)
        /// Leave the run loop.
        case exit(BroadcastThreadEnd)
    }

    /// How long `stop()` waits for the thread.
    public static let stopTimeout = TimeSpan.seconds(5)

    private let onError: ThreadOnError
    private let queue: BroadcastQueuePolicy
    private var state = State.running

    public init(onError: ThreadOnError, queue: BroadcastQueuePolicy) {
        self.onError = onError
        self.queue = queue
    }

    /// How the thread ended; `nil` while it lives.
    public var end: BroadcastThreadEnd? {
        if case .ended(let end) = state { end } else { nil }
    }

    /// Asked at the top of the loop, with the number of updates that wait.
    public mutating func next(waiting: Int, now: MonotonicInstant) -> Action {
        switch state {
        case .running:
            return .take(upTo: queue.batch)
        case .stopping(let deadline):
            if queue.drainsOnStop, waiting > 0, now < deadline { return .take(upTo: queue.batch) }
            let end = BroadcastThreadEnd.stopped(left: waiting)
            state = .ended(end)
            return .exit(end)
        case .ended(let end):
            return .exit(end)
        case .broadcasting, .stoppingWhileBroadcasting:
            preconditionFailure("the thread asks for work only when it has none")
        }
    }

    /// The thread has taken updates and is about to broadcast them.
    public mutating func began() {
        switch state {
        case .running: state = .broadcasting
        case .stopping(let deadline): state = .stoppingWhileBroadcasting(until: deadline)
        case .broadcasting, .stoppingWhileBroadcasting, .ended:
            preconditionFailure("a broadcast begins only after the thread took updates")
        }
    }

    /// The broadcast is over; `failed` says that it threw.
    public mutating func finished(failed: Bool) {
        let deadline: MonotonicInstant?
        switch state {
        case .broadcasting: deadline = nil
        case .stoppingWhileBroadcasting(let until): deadline = until
        case .running, .stopping, .ended: preconditionFailure("no broadcast was under way")
        }
        if failed, onError == .exit {
            state = .ended(.died)
        } else if let deadline {
            state = .stopping(until: deadline)
        } else {
            state = .running
        }
    }

    /// `stop()`: from any thread, through whoever guards the machine.
    public mutating func stop(now: MonotonicInstant) {
        let deadline = now + Self.stopTimeout
        switch state {
        case .running: state = .stopping(until: deadline)
        case .broadcasting: state = .stoppingWhileBroadcasting(until: deadline)
        case .stopping, .stoppingWhileBroadcasting, .ended: break
        }
    }
}

/// How a `ProcessDataBroadcastThread` ended.
public enum BroadcastThreadEnd: Hashable, Sendable {
    /// After `stop()`; `left` updates were not sent.
    case stopped(left: Int)
    /// An exception ended it: nothing more is sent.
    case died
}
