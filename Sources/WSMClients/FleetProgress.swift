import NIOCore
import Synchronization
import WSMCore

/// How far a fleet has come, shared by its shards and whoever waits for it; safe from any thread.
final class FleetProgress: Sendable {
    private struct State {
        var planned = 0
        var openedOnce = 0
        var gaveUp = 0
        var refused = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0

        /// Whether nothing is to be waited for any more.
        var isSettled: Bool { openedOnce + gaveUp + refused >= planned }
    }

    /// How the connect phase stands.
    struct Snapshot {
        var planned: Int
        var openedOnce: Int
        var gaveUp: Int
        var refused: Int
    }

    private let open = Atomic<Int>(0)
    private let state = Mutex(State())

    /// The sessions open now.
    var openSessions: Int { open.load(ordering: .relaxed) }

    var snapshot: Snapshot {
        state.withLock {
            Snapshot(planned: $0.planned, openedOnce: $0.openedOnce, gaveUp: $0.gaveUp, refused: $0.refused)
        }
    }

    func plan(_ count: Int) {
        state.withLock { $0.planned += count }
    }

    func sessionOpened() { open.add(1, ordering: .relaxed) }
    func sessionEnded() { open.subtract(1, ordering: .relaxed) }

    /// A client has opened its first session.
    func clientOpened() { settle { $0.openedOnce += 1 } }
    /// A client has never opened a session and will not try again.
    func clientGaveUp() { settle { $0.gaveUp += 1 } }

    /// It is known of a client that was to be refused whether it was.
    func clientRefused() { settle { $0.refused += 1 } }

    private func settle(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            change(&state)
            guard state.isSettled else { return [] }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once every planned client has opened a session or given up, at `deadline`, or when the task is cancelled.
    func waitUntilSettled(deadline: MonotonicInstant, on loop: any EventLoop) async {
        let id = state.withLock { state -> UInt64 in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state -> Bool in
                    // Cancelled before it was registered: the handler below has found nobody to resume.
                    if state.isSettled || Task.isCancelled { return false }
                    state.waiters[id] = continuation
                    return true
                }
                guard waits else { return continuation.resume() }
                let delay = max(0, (deadline - .now()).nanoseconds)
                let timer = loop.scheduleTask(in: .nanoseconds(delay)) { self.resume(id) }
                // A loop that is shut down cancels its timers; nobody may wait on for that.
                timer.futureResult.whenFailure { _ in self.resume(id) }
            }
        } onCancel: {
            resume(id)
        }
    }

    private func resume(_ id: UInt64) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
}
