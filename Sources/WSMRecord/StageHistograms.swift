/// The latencies of a run: end to end, and stage by stage along the way of a message.
///
/// Stages: intended → worker done → dequeued → published → delivered to the instance → frame written → client received.
package struct StageHistograms: Sendable {
    /// From the intended instant until the worker had the message ready.
    package var worker = LatencyHistogram()
    /// From entering the broadcast queue until the broadcast thread took it.
    package var queue = LatencyHistogram()
    /// From there until it was handed to the broker's socket or to the memory manager.
    package var publish = LatencyHistogram()
    /// From there until the broker delivered it to an instance.
    package var broker = LatencyHistogram()
    /// From there until the instance had written its frames.
    package var write = LatencyHistogram()
    /// From there until a client had received it whole.
    package var wire = LatencyHistogram()
    /// Response time: from the intended instant until a client received it, one value a delivery.
    package var latency = LatencyHistogram()
    /// Service time: from the instant it was really ready until a client received it, one value a delivery.
    package var latencyFromActualSend = LatencyHistogram()
    /// How late the load generator was against its own plan: its fault, not the system's.
    package var scheduleSlip = LatencyHistogram()
    /// As ``latency``, for the clients that the scenario makes slow; they are in none of the others.
    package var slowReaderLatency = LatencyHistogram()

    package init() {}

    /// Merges `other` into these.
    package mutating func add(_ other: StageHistograms) {
        worker.add(other.worker)
        queue.add(other.queue)
        publish.add(other.publish)
        broker.add(other.broker)
        write.add(other.write)
        wire.add(other.wire)
        latency.add(other.latency)
        latencyFromActualSend.add(other.latencyFromActualSend)
        scheduleSlip.add(other.scheduleSlip)
        slowReaderLatency.add(other.slowReaderLatency)
    }
}
