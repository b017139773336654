import WSMCore

extension Scenario {
    /// The scenario as a file, with every default written out.
    ///
    /// Reading it gives an equal scenario.
    package func yaml() -> String {
        var writer = ScenarioWriter()
        writer.write(self)
        return writer.text
    }
}

/// Writes a scenario in the order of its format.
private struct ScenarioWriter {
    private(set) var text = ""

    mutating func write(_ scenario: Scenario) {
        line(0, "name", scalar(scenario.name))
        if !scenario.description.isEmpty { line(0, "description", scalar(scenario.description)) }
        line(0, "seed", "\(scenario.seed)")
        line(0, "warmup", QuantityWriter.duration(scenario.warmup))
        line(0, "duration", QuantityWriter.duration(scenario.duration))
        switch scenario.system {
        case .cluster(let cluster): write(cluster)
        case .target(let target): write(target)
        }
        write(scenario.clients)
        if !scenario.workload.isEmpty {
            text += "\nworkload:\n"
            scenario.workload.forEach { write($0) }
        }
        if !scenario.faults.isEmpty {
            text += "\nfaults:\n"
            scenario.faults.forEach { write($0) }
        }
        write(scenario.expect)
    }

    private mutating func write(_ cluster: ClusterSpec) {
        text += "\ncluster:\n"
        line(1, "profile", cluster.profile.rawValue)
        line(1, "manager", cluster.manager.rawValue)
        line(1, "instances", "\(cluster.instances)")
        line(1, "placement", cluster.placement.rawValue)
        line(1, "executor", cluster.executor.rawValue)
        line(1, "workers", "\(cluster.workers)")
        line(1, "subscription", cluster.subscription.rawValue)
        line(1, "publishing", cluster.publishing.rawValue)
        line(1, "fanOut", cluster.fanOut.rawValue)
        line(1, "threadOnError", cluster.threadOnError.rawValue)
        line(1, "redisPool", cluster.redisPool.map { "\($0)" } ?? "unlimited")
        line(1, "brokerLoss", cluster.brokerLoss.rawValue)
        line(1, "gapMark", cluster.gapMark.rawValue)
        // Under `buffer` a limit would have no effect, and saying it would draw a warning.
        let limit =
            cluster.slowClient.policy == .buffer ? "" : ", limit: \(QuantityWriter.size(cluster.slowClient.limit))"
        line(1, "slowClient", "{policy: \(cluster.slowClient.policy.rawValue)\(limit)}")
        if let bytes = cluster.sendBuffer { line(1, "sendBuffer", QuantityWriter.size(bytes)) }
        let buffer = cluster.pubsubBufferLimit.map { ", pubsubBufferLimit: \(QuantityWriter.size($0))" } ?? ""
        switch cluster.redis {
        case .embedded:
            let (tls, acl) = (cluster.redisSecurity.tls, cluster.redisSecurity.acl)
            line(1, "redis", "{mode: embedded, tls: \(tls), acl: \(acl)\(buffer)}")
        case .cluster(let spec):
            line(1, "redis", "{mode: cluster, nodes: \(spec.nodes), publish: \(spec.publish.rawValue)\(buffer)}")
        case .sentinel(let spec):
            let downAfter = QuantityWriter.duration(spec.downAfter)
            line(1, "redis", "{mode: sentinel, replicas: \(spec.replicas), downAfter: \(downAfter)\(buffer)}")
        case .url(let url): line(1, "redis", "{url: \(quoted(url))}")
        }
        line(1, "tls", "\(cluster.tls)")
        line(1, "auth", cluster.auth.rawValue)
    }

    private mutating func write(_ target: TargetSpec) {
        text += "\ntarget:\n"
        line(1, "clients", list(target.clients.map(quoted)))
        if let file = target.certificateAuthority { line(1, "certificateAuthority", quoted(file)) }
        if !target.subprotocols.isEmpty { line(1, "subprotocols", list(target.subprotocols.map(quoted))) }
        switch target.publish {
        case .redis(let url, let channel):
            line(1, "publish", "{via: redis, url: \(quoted(url)), channel: \(scalar(channel.name))}")
        case .http(let url): line(1, "publish", "{via: http, url: \(quoted(url))}")
        }
        if !target.pids.isEmpty { line(1, "pids", list(target.pids.map { "\($0)" })) }
    }

    private mutating func write(_ clients: ClientsSpec) {
        text += "\nclients:\n"
        line(1, "count", "\(clients.count)")
        line(1, "transport", clients.transport.rawValue)
        if let processes = clients.processes { line(1, "processes", "\(processes)") }
        switch clients.assignment {
        case .roundRobin: line(1, "assignment", "round-robin")
        case .random: line(1, "assignment", "random")
        case .weights(let weights): line(1, "assignment", "{weights: \(list(weights.map { "\($0)" }))}")
        }
        line(1, "connectRate", QuantityWriter.rate(clients.connectRate))
        line(1, "ping", QuantityWriter.duration(clients.ping))
        if let timeout = clients.pongTimeout { line(1, "pongTimeout", QuantityWriter.duration(timeout)) }
        line(1, "churn", "{rate: \(QuantityWriter.rate(clients.churn))}")
        line(1, "slow", "{count: \(clients.slow.count), readRate: \(QuantityWriter.size(clients.slow.readRate))/s}")
        let (initial, longest) = (clients.reconnect.initial, clients.reconnect.max)
        line(
            1, "reconnect",
            "{initial: \(QuantityWriter.duration(initial)), max: \(QuantityWriter.duration(longest))}")
        let refused = clients.auth.shares.filter { $0.share != .zero }
            .map { "\($0.credential.rawValue): \(QuantityWriter.share($0.share))" }
        if !refused.isEmpty { line(1, "auth", "{\(refused.joined(separator: ", "))}") }
    }

    private mutating func write(_ workload: WorkloadSpec) {
        text += "  - kind: \(workload.kind)\n"
        line(2, "rate", QuantityWriter.rate(workload.rate))
        switch workload {
        case .processes(let spec):
            line(2, "arrival", spec.arrival.rawValue)
            line(2, "steps", "\(spec.steps)")
            line(2, "stepDuration", QuantityWriter.distribution(spec.stepDuration))
            line(2, "subscriptions", "\(spec.subscriptions)")
            line(2, "failed", QuantityWriter.share(spec.failed))
            line(2, "suspended", QuantityWriter.share(spec.suspended))
            line(2, "resumeAfter", QuantityWriter.duration(spec.resumeAfter))
            line(2, "aborted", QuantityWriter.share(spec.aborted))
        case .broadcasts(let spec):
            line(2, "arrival", spec.arrival.rawValue)
            line(2, "publishers", "\(spec.publishers)")
            line(2, "payload", QuantityWriter.size(spec.payload))
            line(2, "channel", scalar(spec.channel.name))
        case .engineStatus(let spec):
            line(2, "arrival", spec.arrival.rawValue)
        }
    }

    private mutating func write(_ fault: FaultSpec) {
        text += "  - action: \(fault.action.rawValue)\n"
        switch fault.schedule {
        case .at(let instant): line(2, "at", QuantityWriter.duration(instant))
        case .every(let gap): line(2, "every", QuantityWriter.duration(gap))
        }
        if let target = fault.target { line(2, "target", "\(target)") }
        if fault.share.millionths != 1_000_000 { line(2, "share", QuantityWriter.share(fault.share)) }
        if let duration = fault.duration { line(2, "duration", QuantityWriter.duration(duration)) }
        if let downtime = fault.downtime { line(2, "downtime", QuantityWriter.duration(downtime)) }
        if let restart = fault.restartAfter { line(2, "restartAfter", QuantityWriter.duration(restart)) }
        if let delay = fault.delay { line(2, "delay", QuantityWriter.distribution(delay)) }
        if let rate = fault.rate { line(2, "rate", "\(QuantityWriter.size(rate))/s") }
        if fault.between != .redis { line(2, "between", fault.between.rawValue) }
        if fault.action == .clientsDisconnect { line(2, "how", fault.how.rawValue) }
        if fault.action == .linkCut { line(2, "afterwards", fault.afterwards.rawValue) }
    }

    private mutating func write(_ expect: ExpectSpec) {
        text += "\nexpect:\n"
        if !expect.guarantees.isEmpty {
            text += "  guarantees:\n"
            for guarantee in Guarantee.allCases {
                guard let expectation = expect.guarantees[guarantee] else { continue }
                line(2, guarantee.rawValue, expectation.rawValue)
            }
        }
        if !expect.thresholds.isEmpty {
            text += "  thresholds:\n"
            for threshold in expect.thresholds { text += "    - \(threshold.expression)\n" }
        }
        if !expect.tolerances.isEmpty {
            text += "  tolerances:\n"
            for path in MetricCatalogue.gated {
                if let tolerance = expect.tolerances[path] { line(2, path, QuantityWriter.share(tolerance)) }
            }
        }
        text += "  bounds:\n"
        line(2, "isolation", QuantityWriter.duration(expect.bounds.isolation))
        if let lag = expect.bounds.lag { line(2, "lag", QuantityWriter.duration(lag)) }
        line(2, "recovery", QuantityWriter.duration(expect.bounds.recovery))
    }
}

// MARK: - Text

extension ScenarioWriter {
    private mutating func line(_ depth: Int, _ key: String, _ value: String) {
        text += "\(String(repeating: "  ", count: depth))\(key): \(value)\n"
    }

    private func list(_ items: [String]) -> String { "[\(items.joined(separator: ", "))]" }

    /// The text without quotes if every reader of YAML takes it for the same text.
    private func scalar(_ text: String) -> String {
        let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        let isPlain = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte & 0xdf) || " -_.,/()".utf8.contains(byte)
        }
        let startsWithLetter = text.utf8.first.map { (65...90).contains($0 & 0xdf) } ?? false
        guard isPlain, startsWithLetter, text.last != " ", !words.contains(text.lowercased()) else {
            return quoted(text)
        }
        return text
    }

    /// The text in double quotes, on one line.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{85}", "\u{a0}"..."\u{ad}", "\u{2028}", "\u{2029}", "\u{feff}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
