import WSMCore

/// What makes no sense with a target: what would have to happen inside of it, and numbers that nobody can know of it.
extension CrossChecks {
    mutating func checkTarget() {
        let target = root.inside("target")
        checkPublish(target.inside("publish"))
        checkPIDs(target)
        checkAuthority(target)
        if let urls = target.value("clients"), case .list(let items) = urls.content, items.isEmpty {
            faults.error(
                at: urls.origin, "target.clients is empty", hint: "for example [\"ws://127.0.0.1:8080/api/ws/events\"]")
        }
        let clients = root.inside("clients")
        if clients.text("transport") == Transport.direct.rawValue {
            faults.error(
                at: origin(clients, "transport"), "clients.transport: direct needs instances in this process",
                hint: "a target is reached through sockets: websocket")
        }
        for (index, workload) in root.items("workload").enumerated() { checkTargetWorkload(workload, index) }
        for (index, fault) in root.items("faults").enumerated() { checkTargetFault(fault, index) }
        checkTargetExpectations(target)
    }

    private mutating func checkPublish(_ publish: TreeReader) {
        guard let url = publish.text("url"), let via = publish.text("via") else { return }
        let place = origin(publish, "url")
        let scheme = url.prefix { $0 != ":" }
        switch (via, scheme) {
        case ("http", "http"):
            do {
                _ = try TargetURL(url, schemes: ["http"])
            } catch {
                faults.error(at: place, "target.publish.url: \(error.message)", hint: error.hint)
            }
        case ("http", "https"):
            faults.error(
                at: place, "target.publish.url: TLS (https://) is not supported yet",
                hint: "clients take wss:// and Redis rediss://; for HTTP use the http:// address behind the TLS proxy")
        case ("redis", "redis"), ("redis", "rediss"), ("redis", "unix"): break
        case ("http", _), ("redis", _):
            faults.error(
                at: place, "target.publish.url does not fit via: \(via)",
                hint: via == "http" ? "for example http://127.0.0.1:8080/publish" : "for example redis://127.0.0.1:6379"
            )
        default: break
        }
        if via == "http", publish.has("channel") {
            faults.error(
                at: origin(publish, "channel"), "target.publish.channel belongs to via: redis",
                hint: "with via: http the URL says where a message goes")
        }
    }

    private mutating func checkAuthority(_ target: TreeReader) {
        let isSecured = target.items("clients").contains { $0.node?.text?.hasPrefix("wss://") == true }
        guard target.has("certificateAuthority"), !isSecured else { return }
        faults.error(
            at: origin(target, "certificateAuthority"),
            "target.certificateAuthority has no effect: no client connects over TLS",
            hint: "write wss:// in target.clients; a rediss:// URL names its own: ?ssl_ca_certs=FILE")
    }

    private mutating func checkPIDs(_ target: TreeReader) {
        var seen: Set<Int> = []
        for pid in target.items("pids") {
            guard let node = pid.node, let number = node.text.flatMap({ Int($0) }) else { continue }
            if !seen.insert(number).inserted {
                faults.error(
                    at: node.origin, "target.pids: \(number) stands twice", hint: "it would be counted twice")
            }
        }
    }

    private mutating func checkTargetWorkload(_ workload: TreeReader, _ index: Int) {
        if let kind = workload.text("kind"), kind == "processes" || kind == "engine-status" {
            faults.error(
                at: origin(workload, "kind"),
                "workload[\(index)]: \(kind) would run inside an instance, and a target cannot be told to",
                hint: "kind: broadcasts publishes to a target")
        }
        if let channel = workload.text("channel"), channel != ChannelName.events.name {
            faults.error(
                at: origin(workload, "channel"), "workload[\(index)].channel has no effect with a target",
                hint: "take it out; target.publish says where messages go")
        }
    }

    private mutating func checkTargetFault(_ fault: TreeReader, _ index: Int) {
        guard let action = fault.text("action"), FaultAction(rawValue: action) != nil, !action.hasPrefix("clients.")
        else { return }
        faults.error(
            at: origin(fault, "action"), "faults[\(index)]: wsmlab cannot do \(action) to a target",
            hint: "it did not start it; break the target from outside during the run")
    }

    private mutating func checkTargetExpectations(_ target: TreeReader) {
        let expect = root.inside("expect")
        for guarantee in [Guarantee.processOrder, .cleanShutdown] {
            let expected = expect.inside("guarantees").word(guarantee.rawValue, Expectation.any)
            guard let expected, expected != .any else { continue }
            faults.error(
                at: origin(expect.inside("guarantees"), guarantee.rawValue),
                "expect.guarantees.\(guarantee.rawValue) is never known of a target",
                hint: guarantee == .processOrder ? "no process runs" : "a run does not end its target")
        }
        for (index, item) in expect.items("thresholds").enumerated() {
            guard let node = item.node, let text = node.text, let threshold = try? Threshold.parse(text).get(),
                let hint = missingSamples(of: threshold.path, target)
            else { continue }
            faults.error(
                at: node.origin, "expect.thresholds[\(index)]: \(threshold.path) has no samples with this target",
                hint: hint)
        }
        for path in MetricCatalogue.gated {
            guard let node = expect.inside("tolerances").value(path), let hint = missingSamples(of: path, target) else {
                continue
            }
            faults.error(
                at: node.origin, "expect.tolerances: \(path) has no samples with this target", hint: hint)
        }
    }

    /// Why a metric cannot have samples; `nil` for one that can.
    private func missingSamples(of path: String, _ target: TreeReader) -> String? {
        if path.hasPrefix("stages.") { return "nobody sees into a target: latency has the whole way" }
        if path.hasPrefix("resources.instances."), !target.has("pids") { return "name its processes: target.pids" }
        guard path.hasPrefix("resources.redis.") else { return nil }
        if target.inside("publish").text("via") == "http" { return "no Redis is known with via: http" }
        return path == "resources.redis.connections" ? nil : "of a target's Redis only connections are known"
    }
}
