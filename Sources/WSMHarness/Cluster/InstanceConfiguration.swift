internal import WSMInstance
internal import WSMManagers
internal import WSMRedis
internal import WSMScenario

extension LiveInstance.Configuration {
    /// What tells a client of a gap where its connection stays; it bears no stamp, and so counts as foreign.
    private static let gapEvent = #"{"name":"gap","value":{}}"#

    /// The instance, or the worker process, with this number in a run, in whichever process.
    ///
    /// - Parameter redis: How it finds its Redis; `nil` in memory.
    init(_ cluster: ClusterSpec, seed: UInt64, index: Int, redis: RedisTopology?) {
        var manager = LiveWebSocketManager.Configuration(policies: cluster.policies, topology: redis)
        manager.gapMark = cluster.gapMark == .close ? .close : .event(Self.gapEvent)
        manager.sendBuffer = cluster.sendBuffer
        manager.seed = seed &+ UInt64(index) &* 0x9e37_79b9
        self.init(manager: manager)
        name = "wsm\(index)"
        workers = cluster.workers
        hasBroadcastThread = cluster.executor == .threadpool
        self.seed = manager.seed
    }
}
