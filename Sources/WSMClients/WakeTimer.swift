import NIOCore
import WSMCore

/// The one timer that a shard has on its event loop, set to whatever is due first.
struct WakeTimer {
    private var armed: (due: MonotonicInstant, timer: Scheduled<Void>)?

    /// Sets it to `due`, unless it goes off earlier anyway.
    mutating func arm(for due: MonotonicInstant, on loop: any EventLoop, _ wake: @escaping () -> Void) {
        if let armed {
            if armed.due <= due { return }
            armed.timer.cancel()
        }
        let delay = max(0, (due - .now()).nanoseconds)
        armed = (due, loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay), wake))
    }

    /// It has gone off; for whoever it woke.
    mutating func hasFired() { armed = nil }

    mutating func cancel() {
        armed?.timer.cancel()
        armed = nil
    }
}
