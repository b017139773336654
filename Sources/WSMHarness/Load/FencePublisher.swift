internal import WSMCore
internal import WSMInstance

/// Publishes fences: messages whose receipt proves that a session was subscribed when they were published.
enum FencePublisher {
    static let json = Array(#"{"name":"fence","value":{}}"#.utf8)

    /// Publishes one fence through each instance that is up, on a thread of its own, and returns when all are published or have
    /// failed.
    static func publish(through places: [any InstancePlace]) async {
        await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "load-fence") {
                for life in places.lazy.compactMap(\.current) {
                    let publisher = life.instance.manager.makePublisher(entity: 1 << 33 | UInt64(life.probe.instance))
                    let stamp = life.probe.submittedFence(now: .now())
                    publisher.broadcastData([Broadcast(channels: [.events], json: json, stamp: stamp)])
                }
                continuation.resume()
            }
        }
    }
}
