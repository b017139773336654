internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMManagers

/// Brings events to a manager's driver: the instance's sequencing point.
///
/// Events are handled on the manager's event loop in the order of their posting, one at a time, also when handling one
/// brings about the next.
///
/// Bounded by who posts: a publishing thread waits for its broadcasts to be done, a client's socket posts what it reads.
final class ManagerInbox: Sendable {
    typealias Input = ManagerInput<ByteBuffer>

    private struct State {
        var inputs: [Input] = []
        var isScheduled = false
    }

    let eventLoop: any EventLoop
    private let state = Mutex(State())
    private let drain: @Sendable () -> Void

    /// - Parameters:
    ///   - eventLoop: The manager's home.
    ///   - drain: Handles what ``take()`` gives until it gives nothing; called on the event loop.
    init(eventLoop: any EventLoop, drain: @escaping @Sendable () -> Void) {
        self.eventLoop = eventLoop
        self.drain = drain
    }

    /// From any thread.
    func post(_ input: Input) {
        let schedules = state.withLock { state in
            state.inputs.append(input)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedules { eventLoop.execute(drain) }
    }

    func post(all inputs: [Input]) {
        let schedules = state.withLock { state in
            state.inputs.append(contentsOf: inputs)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedules { eventLoop.execute(drain) }
    }

    /// Takes what waits; an empty array ends the drain, and the next post schedules a new one.
    func take() -> [Input] {
        state.withLock { state in
            let inputs = state.inputs
            state.inputs = []
            if inputs.isEmpty { state.isScheduled = false }
            return inputs
        }
    }
}
