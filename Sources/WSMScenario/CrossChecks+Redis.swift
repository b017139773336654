import WSMCore

/// The checks of `cluster.redis`.
extension CrossChecks {
    mutating func checkRedis() {
        let cluster = root.inside("cluster")
        let redis = cluster.inside("redis")
        if cluster.text("manager") == ManagerKind.memory.rawValue {
            for key in ["url", "mode"] where redis.has(key) && redis.text(key) != RedisMode.embedded.rawValue {
                faults.warning(
                    at: origin(redis, key), "cluster.redis.\(key) has no effect: the memory manager uses no Redis",
                    hint: "take it out, or set cluster.manager: broadcast")
            }
        }
        check(redis, keys: ["nodes", "publish"], belongTo: .cluster)
        check(redis, keys: ["replicas", "downAfter"], belongTo: .sentinel)
    }

    /// A key of one mode says nothing in another.
    private mutating func check(_ redis: TreeReader, keys: [String], belongTo mode: RedisMode) {
        guard let present = redis.word("mode", RedisMode.embedded), redis.has("url") || present != mode else { return }
        for key in keys where redis.has(key) {
            let instead =
                redis.has("url") ? "with cluster.redis.url" : "with cluster.redis.mode: \(present.rawValue)"
            faults.error(
                at: origin(redis, key), "cluster.redis.\(key) makes no sense \(instead)",
                hint: "it belongs to mode: \(mode.rawValue); take it out, or set cluster.redis.mode: \(mode.rawValue)")
        }
    }
}
