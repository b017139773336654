import Testing
import WSMCore

@testable import WSMScenario

@Suite("The Redis of a scenario")
struct RedisTests {
    private func source(_ redis: String) throws -> RedisSource {
        try scenario(scenarioText(cluster: "cluster: {redis: \(redis)}")).cluster.redis
    }

    @Test("Each mode has its keys and their defaults")
    func modes() throws {
        #expect(try source("{}") == .embedded)
        #expect(try source("{mode: embedded}") == .embedded)
        #expect(try source("{mode: cluster}") == .cluster(RedisClusterSpec(nodes: 3, publish: .bus)))
        #expect(
            try source("{mode: cluster, nodes: 5, publish: sharded}")
                == .cluster(RedisClusterSpec(nodes: 5, publish: .sharded)))
        #expect(
            try source("{mode: sentinel}")
                == .sentinel(RedisSentinelSpec(replicas: 1, downAfter: .milliseconds(500))))
        #expect(
            try source("{mode: sentinel, replicas: 2, downAfter: 1s}")
                == .sentinel(RedisSentinelSpec(replicas: 2, downAfter: .seconds(1))))
    }

    @Test(
        "A key of another mode, and a value that cannot be, is refused at its place with a hint",
        arguments: [
            ("{nodes: 3}", "3:26", "cluster.redis.nodes makes no sense with cluster.redis.mode: embedded"),
            ("{mode: sentinel, publish: bus}", "3:44", "cluster.redis.publish makes no sense"),
            ("{mode: cluster, replicas: 1}", "3:44", "cluster.redis.replicas makes no sense"),
            ("{mode: cluster, downAfter: 1s}", "3:45", "cluster.redis.downAfter makes no sense"),
            ("{url: 'redis://h', nodes: 3}", "3:44", "cluster.redis.nodes makes no sense with cluster.redis.url"),
            ("{mode: cluster, nodes: 2}", "3:41", "cluster.redis.nodes: 2 is out of range"),
            ("{mode: cluster, nodes: 17}", "3:41", "cluster.redis.nodes: 17 is out of range"),
            ("{mode: cluster, nodes: three}", "3:41", "cluster.redis.nodes"),
            ("{mode: cluster, publish: shard}", "3:43", "cluster.redis.publish: unknown value"),
            ("{mode: sentinel, replicas: 0}", "3:45", "cluster.redis.replicas: 0 is out of range"),
            ("{mode: sentinel, downAfter: 99ms}", "3:46", "cluster.redis.downAfter: 99ms is out of range"),
            ("{mode: sentinel, downAfter: 500}", "3:46", "cluster.redis.downAfter"),
            ("{mode: cluster, tls: true}", "3:39", "cluster.redis.tls needs cluster.redis.mode: embedded"),
            ("{mode: sentinel, acl: true}", "3:40", "cluster.redis.acl needs cluster.redis.mode: embedded"),
            ("{mode: sentinal}", "3:25", "cluster.redis.mode: unknown value"),
            ("{mode: cluster, shards: 3}", "3:34", "shards"),
        ])
    func refused(_ redis: String, _ place: String, _ what: String) throws {
        let found = faults(scenarioText(cluster: "cluster: {redis: \(redis)}"))
        try #require(found.count == 1, "\(found)")
        #expect(found[0].hasPrefix("s.yaml:\(place)"))
        #expect(found[0].contains(what))
        #expect(found[0].contains("\n  hint: "))
    }

    @Test("In memory there is no Redis to have a mode")
    func memory() {
        let found = faults(scenarioText(cluster: "cluster: {manager: memory, redis: {mode: cluster}}"))
        #expect(found.count == 1)
        #expect(found.first?.contains("warning: cluster.redis.mode has no effect") == true)
    }

    @Test("Only sentinels can change the master")
    func failover() throws {
        func found(_ redis: String) -> [String] {
            faults(
                "name: t\nduration: 20s\ncluster: {redis: \(redis)}\nclients: {count: 1}\n"
                    + "faults: [{at: 1s, action: redis.failover}]\n")
        }
        #expect(found("{mode: sentinel}").isEmpty)
        func hasTwoMasters(_ fault: String) throws -> Bool {
            try scenario(
                "name: t\nduration: 20s\ncluster: {redis: {mode: sentinel}}\nfaults: [{at: 1s, action: \(fault)}]\n"
            ).losesUntold
        }
        #expect(try hasTwoMasters("redis.failover"))
        #expect(try !hasTwoMasters("redis.restart, downtime: 1s"))
        for redis in ["{}", "{mode: cluster}"] {
            #expect(found(redis).count == 1)
            #expect(found(redis).first?.contains("redis.failover needs cluster.redis.mode: sentinel") == true)
        }
    }

    @Test("A link to Redis can be broken where there is one server")
    func links() {
        for mode in ["cluster", "sentinel"] {
            let found = faults(
                "name: t\nduration: 20s\ncluster: {redis: {mode: \(mode)}}\nclients: {count: 1}\n"
                    + "faults: [{at: 1s, action: link.cut, duration: 1s}]\n")
            #expect(found.contains { $0.contains("link.cut needs one Redis server") }, "\(found)")
        }
    }

    @Test("Only a cluster's bus has several orders")
    func orders() throws {
        func spread(_ cluster: String) throws -> TimeSpan? {
            let text = scenarioText(cluster: "cluster: {\(cluster)}\nexpect: {bounds: {isolation: 3s}}")
            return try scenario(text).orderSpread
        }
        #expect(try spread("redis: {mode: cluster}") == .seconds(3))
        #expect(try spread("redis: {mode: cluster, publish: sharded}") == nil)
        #expect(try spread("redis: {mode: sentinel}") == nil)
        #expect(try spread("manager: memory, redis: {mode: cluster}") == nil)
    }
}
