public import NIOCore
public import WSMCore

/// Publishes for one dedicated thread to a ``RedisTopology``: finds the right server, and waits in its calls.
///
/// Never call it from an event loop or from Swift's own threads. When it is no longer usable, make a new one: that looks for
/// the server anew, and so finds the new master after a failover.
public final class RedisPublisher {
    public typealias Publication = BlockingRedisConnection.Publication

    private enum Route {
        case one(BlockingRedisConnection)
        case sharded(ShardedPublisher)
    }

    private let router: RedisRouter
    private let route: Route

    /// Finds the server and connects, before `deadline` has passed; later calls have the same time each.
    ///
    /// - Parameter eventLoop: Where encryption is done, over TLS; one of the process's shared loops when `nil`.
    public init(
        _ router: RedisRouter, deadline: TimeSpan, eventLoop: (any EventLoop)? = nil
    ) throws(RedisError) {
        self.router = router
        switch router.topology {
        case .clusterSharded: route = .sharded(try ShardedPublisher(router, deadline: deadline))
        case .single, .clusterBus, .sentinel: route = .one(try Self.connect(router, deadline: deadline, eventLoop))
        }
    }

    /// Whether calls can still succeed, as far as is known.
    public var isUsable: Bool {
        switch route {
        case .one(let connection): connection.isUsable && !router.isFormerMaster(connection.url)
        case .sharded(let publisher): publisher.isUsable
        }
    }

    /// Closes all connections.
    public func close() {
        switch route {
        case .one(let connection): connection.close()
        case .sharded(let publisher): publisher.close()
        }
    }

    /// Publishes all messages in one transaction, see ``BlockingRedisConnection/publish(_:)``.
    ///
    /// Sharded, channels of different slots cannot be in one: then there is a transaction for each slot, and when one of them
    /// fails the error says that others may be published.
    public func publish(_ messages: [Publication]) throws(RedisError) -> [Int64] {
        switch route {
        case .one(let connection): return try connection.publish(messages)
        case .sharded(let publisher):
            guard !messages.isEmpty else { return [] }
            var result: Result<[Int64], RedisError> = .success([])
            publisher.publish([messages], plainSingles: false) { result = $0.receivers }
            return try result.get()
        }
    }

    /// Publishes several broadcasts, see ``BlockingRedisConnection/publishPipelined(_:acknowledged:)``.
    ///
    /// Sharded, the messages of one channel keep their order; those of channels on different nodes have none among them.
    public func publishPipelined(
        _ batches: [[Publication]], acknowledged: (RedisPublishAcknowledgement) -> Void
    ) {
        switch route {
        case .one(let connection): connection.publishPipelined(batches, acknowledged: acknowledged)
        case .sharded(let publisher): publisher.publish(batches, plainSingles: true, acknowledged: acknowledged)
        }
    }

    /// The first seed through which a server can be reached.
    private static func connect(
        _ router: RedisRouter, deadline: TimeSpan, _ eventLoop: (any EventLoop)?
    ) throws(RedisError) -> BlockingRedisConnection {
        let topology = router.topology
        let end = MonotonicInstant.now() + deadline
        var failure = RedisRouter.noServer
        for seed in topology.seeds {
            let left = end - MonotonicInstant.now()
            guard left > .zero else { break }
            do throws(RedisError) {
                var server = seed
                if case .sentinel(_, let master) = topology {
                    let sentinel = try BlockingRedisConnection(
                        url: seed, deadline: min(left, router.questionDeadline))
                    let reply = try sentinel.send(SentinelAnswer.question(master))
                    server = try router.master(in: reply, named: master, by: seed)
                }
                return try BlockingRedisConnection(
                    url: server, deadline: deadline, requiresMaster: topology.requiresMaster, eventLoop: eventLoop)
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
