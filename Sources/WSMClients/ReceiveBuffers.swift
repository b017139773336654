import NIOCore

/// What a look at a sample of the clients' sockets found: how full their receive buffers were.
///
/// Bytes that lie there have arrived and wait for the client; where clients read as fast as they can, a buffer that fills
/// shows a load generator that does not keep up.
package struct ReceiveBuffers: Sendable, Hashable {
    /// Sockets looked at.
    package var samples = 0
    /// Those whose buffer was more than half full.
    package var overHalf = 0
    /// The most that was found, as a part of the buffer.
    package var fullest = 0.0

    package init() {}

    package mutating func add(_ other: ReceiveBuffers) {
        samples += other.samples
        overHalf += other.overHalf
        fullest = max(fullest, other.fullest)
    }

    mutating func add(_ memory: SocketMemory) {
        guard memory.receiveLimit > 0 else { return }
        let share = Double(memory.received) / Double(memory.receiveLimit)
        samples += 1
        if share > 0.5 { overHalf += 1 }
        fullest = max(fullest, share)
    }
}

extension ClientFleet {
    /// Looks at the receive buffers of at most `limit` sockets of each loop, of clients that read as fast as they can.
    ///
    /// Each look takes the sockets after those of the last.
    package func sampleReceiveBuffers(limit: Int) async -> ReceiveBuffers {
        var sum = ReceiveBuffers()
        for shard in shards {
            // It fails only when its loop was shut down before the fleet, and then there is nothing to see.
            let look = shard.eventLoop.submit { shard.value.sampleReceiveBuffers(limit: limit) }
            if let part = try? await look.get() { sum.add(part) }
        }
        return sum
    }
}

extension FleetShard {
    /// As ``ClientFleet/sampleReceiveBuffers(limit:)``, for this shard.
    func sampleReceiveBuffers(limit: Int) -> ReceiveBuffers {
        loop.assertInEventLoop()
        var sum = ReceiveBuffers()
        var looked = 0
        while sum.samples < limit, looked < clients.count {
            nextSampled = (nextSampled + 1) % clients.count
            looked += 1
            guard let session = clients[nextSampled].session, session.readsFreely, let memory = session.socket.memory()
            else { continue }
            sum.add(memory)
        }
        return sum
    }
}
