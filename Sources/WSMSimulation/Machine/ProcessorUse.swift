package import WSMCore

/// CPU time on a shared machine, by whom it was spent.
package struct ProcessorUse: Hashable, Sendable {
    package private(set) var instances = TimeSpan.zero
    package private(set) var redis = TimeSpan.zero
    /// With the load's threads.
    package private(set) var clients = TimeSpan.zero
    /// Turns of the instances' event loops, and writes to clients in them.
    package private(set) var turns: Int64 = 0
    package private(set) var writes: Int64 = 0
    /// Turns of the clients' loops, reads in them, and the messages of these reads behind the first.
    package private(set) var clientTurns: Int64 = 0
    package private(set) var reads: Int64 = 0
    package private(set) var furtherMessages: Int64 = 0
    /// How often threads that publish for the load slept until an instant.
    package private(set) var timedWaits: Int64 = 0
    /// What of the CPU time went into waking cores that slept, at either end (``WakeCurve``).
    package private(set) var publishersWaking = TimeSpan.zero
    package private(set) var instancesWaking = TimeSpan.zero
    package private(set) var redisWaking = TimeSpan.zero
    package private(set) var clientsWaking = TimeSpan.zero
    /// How cold publishing threads, the loops of instances, Redis and the clients' loops were when they were woken.
    package private(set) var publishersCold = Coldness.zero
    package private(set) var instancesCold = Coldness.zero
    package private(set) var redisCold = Coldness.zero
    package private(set) var clientsCold = Coldness.zero
    /// How cold the sockets were, over all writes and over all reads.
    package private(set) var writesCold = Coldness.zero
    package private(set) var readsCold = Coldness.zero

    package init() {}

    mutating func add(_ span: TimeSpan, of owner: SimulatedThread.Owner) {
        switch owner {
        case .instance, .broadcaster: instances = instances + span
        case .redis: redis = redis + span
        case .clients, .publisher: clients = clients + span
        }
    }

    /// - Parameter isSpent: Whether it has to be added to the CPU time here; a debt is added once it is worked off.
    mutating func addWaking(_ span: TimeSpan, of owner: SimulatedThread.Owner, isSpent: Bool) {
        if isSpent { add(span, of: owner) }
        switch owner {
        case .publisher, .broadcaster: publishersWaking = publishersWaking + span
        case .instance: instancesWaking = instancesWaking + span
        case .redis: redisWaking = redisWaking + span
        case .clients: clientsWaking = clientsWaking + span
        }
    }

    mutating func addTimedWait() { timedWaits += 1 }

    mutating func add(_ coldness: Coldness, of owner: SimulatedThread.Owner) {
        switch owner {
        case .instance: instancesCold = instancesCold + coldness
        case .redis: redisCold = redisCold + coldness
        case .clients: clientsCold = clientsCold + coldness
        case .publisher, .broadcaster: publishersCold = publishersCold + coldness
        }
    }

    /// - Parameter coldness: Of each of the sockets.
    mutating func addTurn(writes count: Int, coldness: Coldness) {
        turns += 1
        writes += Int64(count)
        writesCold = writesCold + coldness * count
    }

    /// - Parameter coldness: Of all sockets together.
    mutating func addClientTurn(reads count: Int, messages: Int, coldness: Coldness) {
        readsCold = readsCold + coldness
        clientTurns += 1
        reads += Int64(count)
        furtherMessages += Int64(messages - count)
    }

    func since(_ before: ProcessorUse) -> ProcessorUse {
        var rest = self
        rest.instances = instances - before.instances
        rest.redis = redis - before.redis
        rest.clients = clients - before.clients
        rest.turns -= before.turns
        rest.writes -= before.writes
        rest.clientTurns -= before.clientTurns
        rest.reads -= before.reads
        rest.furtherMessages -= before.furtherMessages
        rest.timedWaits -= before.timedWaits
        rest.publishersWaking = publishersWaking - before.publishersWaking
        rest.instancesWaking = instancesWaking - before.instancesWaking
        rest.redisWaking = redisWaking - before.redisWaking
        rest.clientsWaking = clientsWaking - before.clientsWaking
        rest.publishersCold = publishersCold - before.publishersCold
        rest.instancesCold = instancesCold - before.instancesCold
        rest.redisCold = redisCold - before.redisCold
        rest.clientsCold = clientsCold - before.clientsCold
        rest.writesCold = writesCold - before.writesCold
        rest.readsCold = readsCold - before.readsCold
        return rest
    }
}
