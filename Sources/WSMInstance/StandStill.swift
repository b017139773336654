internal import Synchronization
internal import WSMCore

/// Where the threads of a paused instance wait until it goes on.
///
/// From any thread. Waiting here stands for what the kernel does to a stopped process, which is why event loops do it too.
final class StandStill: Sendable {
    private struct State {
        var isPaused = false
        /// Event loops that wait here.
        var loops = 0
    }

    private let state = Monitor(State())
    /// The same as the state's, for those who only pass.
    private let isPaused = Atomic<Bool>(false)

    /// Whoever comes from here on waits.
    func begin() { set(true) }

    /// Whoever waits goes on.
    func end() { set(false) }

    private func set(_ paused: Bool) {
        state.update { state in
            state.isPaused = paused
            isPaused.store(paused, ordering: .sequentiallyConsistent)
        }
    }

    /// Waits while the instance is paused; returns whether it was.
    @discardableResult
    func pass() -> Bool {
        guard isPaused.load(ordering: .sequentiallyConsistent) else { return false }
        wait()
        return true
    }

    /// The same for an event loop, which is counted while it waits.
    func hold() {
        state.withLock { $0.loops += 1 }
        wait()
        state.withLock { $0.loops -= 1 }
    }

    /// Event loops that wait here.
    var heldLoops: Int { state.withLock { $0.loops } }

    private func wait() {
        while state.wait(until: .now() + .seconds(1), for: { $0.isPaused ? nil : true }) == nil {}
    }
}
