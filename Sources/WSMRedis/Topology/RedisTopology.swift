/// How the servers of a Redis are arranged, and so where a channel's messages are published and subscribed to.
///
/// Nodes and sentinels stand in the order in which they are tried.
public enum RedisTopology: Sendable, Hashable, Codable {
    /// One server.
    case single(RedisURL)
    /// A cluster whose nodes pass each `PUBLISH` on to all others over their bus: any node will do.
    case clusterBus([RedisURL])
    /// A cluster with `SPUBLISH` and `SSUBSCRIBE`: a channel lives on the node that has its slot.
    ///
    /// Needs Redis 7.
    case clusterSharded([RedisURL])
    /// A master with replicas, and the sentinels that know which of them it is.
    ///
    /// The master is reached without a login.
    case sentinel([RedisURL], master: String)

    /// The servers that are asked or used first.
    var seeds: [RedisURL] {
        switch self {
        case .single(let url): [url]
        case .clusterBus(let nodes), .clusterSharded(let nodes): nodes
        case .sentinel(let sentinels, _): sentinels
        }
    }

    var isSharded: Bool { if case .clusterSharded = self { true } else { false } }

    /// Whether a server must say that it is a master before it is used.
    ///
    /// A replica takes a `PUBLISH` and gives it to nobody but its own subscribers.
    var requiresMaster: Bool { if case .sentinel = self { true } else { false } }
}
