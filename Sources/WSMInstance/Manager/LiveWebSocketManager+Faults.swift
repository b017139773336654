internal import NIOCore
internal import WSMCore

/// What a crash and a pause of the instance do to its manager.
extension LiveWebSocketManager {
    /// Closes the clients' sockets without a close frame and the connections to Redis; nothing is handled any more.
    func crash() async {
        // It fails only when the loop was shut down, and then nothing of it is open.
        try? await eventLoop.submit { self.driver.value.crash() }.get()
        for shard in shards { try? await shard.eventLoop.submit { shard.value.crash() }.get() }
    }

    /// Lets the event loops stand still, and returns when they do.
    func pause(deadline: TimeSpan) async throws {
        let standStill = self.standStill
        standStill.begin()
        for shard in shards { shard.eventLoop.execute { standStill.hold() } }
        let until = MonotonicInstant.now() + deadline
        while standStill.heldLoops < shards.count {
            guard MonotonicInstant.now() < until else {
                standStill.end()
                throw InstanceError(
                    code: .pauseTimedOut,
                    message: "the instance's event loop did not stand still in \(deadline.seconds) s")
            }
            try await Task.sleep(nanoseconds: 500_000)
        }
    }
}
