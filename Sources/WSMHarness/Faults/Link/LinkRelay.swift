package import NIOCore
internal import NIOPosix
internal import Synchronization
package import WSMCore
package import WSMRedis

/// A TCP relay between a local port and an upstream, whose conditions can be changed at any time.
///
/// It stands for the network: between instances and Redis (one relay an instance), or between clients and an instance. On an
/// event loop thread of its own; all calls are safe from any thread or task. Undisturbed it passes every byte on in order, a
/// FIN as a FIN, and a connection that breaks as an RST. Its bounds: 256 KiB a direction and connection, beyond which the
/// sender feels that nobody reads.
///
/// A relay cannot refuse: when the upstream cannot be reached the client is accepted and gets an RST. During a cut it is
/// accepted by the kernel, and nothing answers: to whoever has a deadline for the whole of connecting, as Redis' and
/// WebSocket clients have, it is as if no packet came through.
package final class LinkRelay: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let board: NIOLoopBound<LinkBoard>
    private let listener: any Channel
    /// The disturbances so far; begun under the lock, so that their numbers are their order on the loop.
    private let begun = Mutex(0)

    /// Listens on a free port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - upstream: Where its connections go; of TCP or a Unix socket.
    ///   - seed: For the draws of shares and delays.
    /// - Throws: ``HarnessError`` `portUnavailable`.
    package static func start(to upstream: SocketAddress, seed: UInt64) async throws -> LinkRelay {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = group.next()
            let board = try await loop.submit {
                NIOLoopBound(LinkBoard(upstream: upstream, seed: seed), eventLoop: loop)
            }.get()
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let end = board.value.accept(channel) else { throw ChannelError.ioOnClosedChannel }
                        try channel.pipeline.syncOperations.addHandler(end)
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            return LinkRelay(group, board, listener)
        } catch {
            try? await group.shutdownGracefully()
            throw HarnessError(.portUnavailable, "cannot listen on 127.0.0.1 for a relay of link faults", cause: error)
        }
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ board: NIOLoopBound<LinkBoard>, _ listener: any Channel) {
        self.group = group
        self.board = board
        self.listener = listener
        port = listener.localAddress?.port ?? 0
    }

    /// The local port that it listens on.
    package let port: Int

    // MARK: Disturbing

    /// Sets `fault` going for a share of the connections, those that come later too, until ``heal(_:)``.
    ///
    /// Returns at once; the record tells when it was so. Several disturbances add up: delays one on the other, the slowest
    /// of the throttles, and a cut ends when all cuts have ended.
    ///
    /// - Parameter share: 0 to 1; drawn for each connection in the order in which they were accepted.
    /// - Returns: The disturbance's number.
    @discardableResult
    package func begin(_ fault: LinkFault, share: Double = 1) -> Int {
        begun.withLock { begun in
            let id = begun
            begun += 1
            let disturbance = LinkDisturbance(id: id, fault: fault, share: share, requestedAt: .now())
            board.eventLoop.execute { self.board.value.begin(disturbance) }
            return id
        }
    }

    /// Ends a disturbance; returns at once.
    package func heal(_ disturbance: Int) {
        board.eventLoop.execute { self.board.value.heal(disturbance) }
    }

    // MARK: Asking

    /// What was done so far, every ``begin(_:share:)`` and ``heal(_:)`` before this call included.
    package func disturbances() async -> [LinkDisturbance] {
        // It fails only once the relay is shut down.
        (try? await board.eventLoop.submit { self.board.value.disturbances }.get()) ?? []
    }

    /// What it has carried so far.
    package func traffic() async -> LinkTraffic {
        (try? await board.eventLoop.submit { self.board.value.traffic }.get()) ?? LinkTraffic()
    }

    /// Closes every socket and ends the thread.
    ///
    /// - Returns: What it did, for the record.
    @discardableResult
    package func shutDown() async -> [LinkDisturbance] {
        try? await listener.close().get()
        let record = try? await board.eventLoop.submit {
            self.board.value.close()
            return self.board.value.disturbances
        }.get()
        try? await group.shutdownGracefully()
        return record ?? []
    }
}

extension LinkRelay {
    /// A relay to the Redis at `url`, whose host name is looked up if it is one.
    ///
    /// - Throws: ``HarnessError`` `redisUnavailable` when the host is not known; `portUnavailable`.
    package static func start(toRedisAt url: RedisURL, seed: UInt64) async throws -> LinkRelay {
        let address: SocketAddress
        do {
            address = try await NIOThreadPool.singleton.runIfActive {
                if let path = url.unixSocketPath { return try SocketAddress(unixDomainSocketPath: path) }
                return try SocketAddress.makeAddressResolvingHost(url.host ?? "127.0.0.1", port: url.port ?? 6379)
            }
        } catch {
            throw HarnessError(
                .redisUnavailable, "the host of the Redis URL is not known here; check its name or give an address",
                cause: error)
        }
        return try await start(to: address, seed: seed)
    }

    /// `url` as it reads when it goes through this relay.
    package func url(for url: RedisURL) -> RedisURL { url.relayed(throughPort: port) }
}
