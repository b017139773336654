internal import WSMRedis
internal import WSMScenario

extension ClusterSpec {
    /// What the private Redis is told beside its defaults.
    var redisOptions: EmbeddedRedis.Options {
        var options = EmbeddedRedis.Options()
        if let limit = pubsubBufferLimit {
            // Hard limit, soft limit and its seconds: without the soft one the cut depends on the bytes alone.
            options.configuration.append("client-output-buffer-limit pubsub \(limit) 0 0")
        }
        return options
    }
}
