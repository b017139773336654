import WSMCore

/// What must fit together of TLS, users and tokens.
extension CrossChecks {
    mutating func checkSecurity() {
        let cluster = root.inside("cluster")
        let clients = root.inside("clients")
        checkRedisSecurity(cluster)
        checkCredentials(clients.inside("auth"), cluster)
        guard clients.word("transport", Transport.websocket) == .direct else { return }
        if cluster.flag("tls", false) == true {
            faults.error(
                at: origin(cluster, "tls"), "cluster.tls makes no sense with clients.transport: direct",
                hint: "without a socket nothing is encrypted; take it out, or set clients.transport: websocket")
        }
        if cluster.word("auth", ClientAuth.none) == .token {
            faults.error(
                at: origin(cluster, "auth"), "cluster.auth makes no sense with clients.transport: direct",
                hint: "without a socket nobody shows a token; take it out, or set clients.transport: websocket")
        }
    }

    private mutating func checkRedisSecurity(_ cluster: TreeReader) {
        let redis = cluster.inside("redis")
        for key in ["tls", "acl"] where redis.flag(key, false) == true {
            if redis.has("url") {
                faults.error(
                    at: origin(redis, key), "cluster.redis.\(key) is for the private server, and url names another",
                    hint: key == "tls"
                        ? "write rediss:// in the URL, and ?ssl_ca_certs=FILE for an authority of your own"
                        : "put the user into the URL: redis://USER:PASSWORD@host")
            } else if redis.word("mode", RedisMode.embedded) != .embedded {
                faults.error(
                    at: origin(redis, key), "cluster.redis.\(key) needs cluster.redis.mode: embedded",
                    hint: "the servers of a cluster and of sentinels are started without TLS and users")
            } else if cluster.text("manager") == ManagerKind.memory.rawValue {
                faults.warning(
                    at: origin(redis, key), "cluster.redis.\(key) has no effect: the memory manager uses no Redis",
                    hint: "take it out, or set cluster.manager: broadcast")
            }
        }
    }

    private mutating func checkCredentials(_ auth: TreeReader, _ cluster: TreeReader) {
        let keys = ["expired", "wrong", "forbidden", "malformed"]
        let shares = keys.compactMap { auth.share($0, .zero)?.millionths }
        guard shares.contains(where: { $0 > 0 }), let node = auth.node else { return }
        if shares.reduce(0, +) > 1_000_000 {
            faults.error(
                at: node.origin, "clients.auth: \(keys.joined(separator: ", ")) together are more than the whole",
                hint: "a client has one token")
        }
        guard cluster.word("auth", ClientAuth.none) == ClientAuth.none else { return }
        faults.error(
            at: node.origin, "clients.auth needs cluster.auth: token",
            hint: root.has("target")
                ? "whom a target lets in is not known here; tokens for it stand in target.subprotocols"
                : "otherwise every client is let in")
    }
}
