internal import NIOCore
internal import WSMCore
internal import WSMManagers

/// Makes the broadcasts of API endpoints where the Memory manager waits for no client: they are handed to its event loop at
/// once, and no thread has to wake for them.
final class LoopDirectBroadcaster: DirectBroadcaster {
    private struct State {
        /// What the manager has and is not done with, by the order of coming.
        var underway: [UInt64: DirectBroadcast] = [:]
        var next: UInt64 = 0
        /// What is over and is being told.
        var telling = 0
        var stops = false
    }

    private let state = Monitor(State())
    private let manager: LiveWebSocketManager

    init(manager: LiveWebSocketManager) { self.manager = manager }

    func put(_ submit: () -> DirectBroadcast) {
        let refused: DirectBroadcast? = state.update { state in
            var item = submit()
            guard !state.stops, state.underway.count < DirectBroadcast.limit else { return item }
            let number = state.next
            state.next += 1
            let (bytes, stamp) = item.broadcast.wireBytes(publishedAt: .now())
            item.broadcast.stamp = stamp
            if let stamp { manager.probe?.published(stamp) }
            state.underway[number] = item
            // Handed over under the lock, so that the order of coming is that of the hand-over.
            manager.broadcastInMemory(item.broadcast, payload: ByteBuffer(bytes: bytes)) { [weak self] outcome in
                self?.ended(number, outcome)
            }
            return nil
        }
        if let refused { manager.refuse(refused) }
    }

    private func ended(_ number: UInt64, _ outcome: BroadcastOutcome) {
        let ended = state.update { state in
            let item = state.underway.removeValue(forKey: number)
            if item != nil { state.telling += 1 }
            return item
        }
        guard let ended else { return }
        report(ended, outcome)
        state.update { $0.telling -= 1 }
    }

    /// - Parameter outcome: `nil`: nobody waits any more, whatever became of it.
    private func report(_ item: DirectBroadcast, _ outcome: BroadcastOutcome?) {
        let end = manager.endInMemory(of: item.broadcast.stamp, outcome)
        item.done?(end == .acknowledged)
        manager.ended(item.broadcast.stamp, end)
    }

    func stop(until deadline: MonotonicInstant) -> Bool {
        state.update { $0.stops = true }
        return state.wait(until: deadline) { $0.underway.isEmpty && $0.telling == 0 ? true : nil } ?? false
    }

    func abandon() {
        let left = state.update { state in
            state.stops = true
            defer { state.underway = [:] }
            return state.underway.sorted { $0.key < $1.key }.map(\.value)
        }
        for item in left { report(item, nil) }
    }
}
