import Synchronization
package import WSMCore

/// The wish to end early, from Ctrl-C or SIGTERM; safe from any thread, and it never goes away again.
package final class Interruption: Sendable {
    private struct State {
        var requestedAt: MonotonicInstant?
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether somebody asked to end.
    package var isRequested: Bool { requestedAt != nil }

    /// When somebody first asked to end; `nil` while nobody has.
    package var requestedAt: MonotonicInstant? { state.withLock { $0.requestedAt } }

    /// Asks to end.
    ///
    /// Not for signal handlers: it takes a lock.
    package func request() {
        let waiters = state.withLock { state in
            if state.requestedAt == nil { state.requestedAt = .now() }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once somebody asks to end, or when the task is cancelled.
    package func wait() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    // Cancelled before it was registered: the handler below has found nobody to resume.
                    if state.requestedAt != nil || Task.isCancelled { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
