internal import WSMInstance
internal import WSMRecord

extension InstanceCounts {
    /// Of a live instance.
    init(_ counters: InstanceCounters) {
        self.init()
        connections = counters.connections
        published = counters.published
        failed = counters.failed
        brokerMessages = counters.brokerMessages
        queueRefused = counters.queueRefused
        evicted = counters.evicted
        riskyRetries = counters.riskyRetries
    }
}
