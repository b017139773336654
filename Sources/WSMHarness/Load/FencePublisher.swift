internal import WSMCore
internal import WSMInstance

/// Publishes fences: messages whose receipt proves that a session was subscribed when they were published.
enum FencePublisher {
    static let json = Array(#"{"name":"fence","value":{}}"#.utf8)

    /// Publishes one fence through each instance, on a thread of its own, and returns when all are published or failed.
    static func publish(through instances: [LiveInstance], probes: [any MeasuringProbe]) async {
        await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "load-fence") {
                for (instance, probe) in zip(instances, probes) {
                    let publisher = instance.manager.makePublisher(entity: 1 << 33 | UInt64(probe.instance))
                    let stamp = probe.submittedFence(now: .now())
                    publisher.broadcastData([Broadcast(channels: [.events], json: json, stamp: stamp)])
                }
                continuation.resume()
            }
        }
    }
}
