import WSMCore
package import WSMScenario

/// Something of a scenario that a simulation has no model of.
package struct Unmodelled: Hashable, Sendable {
    /// The scenario's key.
    package let key: String
    /// What is not modelled, and what can be done.
    package let reason: String
}

extension Unmodelled {
    /// What of the scenario cannot be simulated, in the order of its keys; empty when all can be.
    package static func of(_ scenario: Scenario) -> [Unmodelled] {
        if case .target = scenario.system {
            return [Unmodelled(key: "target", reason: "a system that runs already has no virtual time; use wsmlab run")]
        }
        let cluster = scenario.cluster
        var found: [Unmodelled] = []
        func note(_ isFound: Bool, _ key: String, _ reason: String) {
            if isFound { found.append(Unmodelled(key: key, reason: reason)) }
        }
        if cluster.manager == .broadcast {
            switch cluster.redis {
            case .embedded: break
            // Sharded, a channel is at one server, which alone counts for its messages.
            case .cluster(let redis):
                note(
                    redis.publish == .bus, "cluster.redis.publish",
                    "the cluster's bus is not modelled; set it to sharded")
            case .sentinel: break
            case .url: note(true, "cluster.redis.url", "a real Redis has no virtual time; leave the key out")
            }
        }
        // No guarantee depends on these, but who turns them on wants to see what they cost and whom they refuse.
        note(cluster.redisSecurity.tls, "cluster.redis.tls", "encryption has no model; set it to false")
        note(cluster.redisSecurity.acl, "cluster.redis.acl", "the users of Redis have no model; set it to false")
        note(cluster.tls, "cluster.tls", "encryption has no model; set it to false")
        note(cluster.auth != .none, "cluster.auth", "tokens have no model; set it to none and leave clients.auth out")
        for (index, fault) in scenario.faults.enumerated() {
            guard case .sentinel = cluster.redis, cluster.manager == .broadcast else { continue }
            note(
                [.redisPause, .redisSlow].contains(fault.action), "faults[\(index)].action",
                "what sentinels do about a master that only stands still is not modelled")
        }
        return found
    }
}
