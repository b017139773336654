import WSMHarness
import WSMRecord

/// Who did how much: instances, groups of clients, processes, and the load generator.
enum BreakdownPart {
    static func nodes(_ result: RunResult) -> [HTMLNode] {
        var nodes: [HTMLNode] = []
        if !result.instances.isEmpty { nodes.append(instances(result)) }
        nodes.append(clients(result))
        if let neighbours = result.neighbours { nodes += beside(neighbours, result.latencySlowReaders) }
        return nodes
    }

    private static func instances(_ result: RunResult) -> HTMLNode {
        let shown = result.instances.prefix(100)
        let hasLatencies = shown.contains { $0.latency != nil }
        let counts = [
            "sessions", "published", "failed", "from broker", "queue refused", "evicted", "fan-outs aborted",
            "broker losses",
        ]
        let numbers = ["instance"] + (hasLatencies ? ["deliveries", "p50", "p99"] : []) + counts
        return ReportTable(
            caption: shown.count < result.instances.count
                ? "The first 100 of \(result.instances.count) instances" : "Instances",
            columns: numbers.map { .number($0) } + [.text("broadcast thread")],
            rows: shown.map { instance in
                let counted = [
                    instance.connections, instance.broadcastsPublished, instance.broadcastsFailed,
                    instance.brokerMessages, instance.queueRefused, instance.evicted, instance.fanOutsAborted,
                    instance.brokerLosses,
                ].map(Figures.grouped)
                let latency = hasLatencies ? figures(instance.latency) : []
                return [String(instance.index)] + latency + counted + [instance.broadcastThread]
            }
        ).node
    }

    /// How many deliveries, p50 and p99.
    private static func figures(_ latency: LatencySummary?) -> [String] {
        guard let latency, latency.count > 0 else { return ["–", "–", "–"] }
        return [Figures.grouped(Int(clamping: latency.count)), Figures.time(latency.p50), Figures.time(latency.p99)]
    }

    private static func clients(_ result: RunResult) -> HTMLNode {
        let clients = result.clients
        var rows = [
            ["planned", Figures.grouped(clients.planned)], ["connected", Figures.grouped(clients.connected)],
            ["never connected", Figures.grouped(clients.failed)], ["reconnects", Figures.grouped(clients.reconnects)],
        ]
        for (name, count) in clients.refused?.byName ?? [] where count > 0 {
            rows.append(["refused: \(name)", Figures.grouped(count)])
        }
        return ReportTable(caption: "Clients", columns: [.text("clients"), .number("count")], rows: rows).node
    }

    private static func beside(_ neighbours: Neighbours, _ slow: LatencySummary) -> [HTMLNode] {
        let groups = [
            ("healthy, beside slow or stalled ones", neighbours.besideSick),
            ("healthy, on other instances", neighbours.elsewhere),
        ].filter { $0.1.clients > 0 }
        // A client that stalls for a while is a slow one only until it has caught up.
        let sick = ["slow or stalled, while they were", Figures.grouped(neighbours.sickClients), "–"]
        let healthy = groups.map { name, group in
            [
                name, Figures.grouped(group.clients), Figures.grouped(Int(group.receivedPerClient.rounded())),
                group.p50.map { Figures.time($0) } ?? "–", group.p99.map { Figures.time($0) } ?? "–",
            ]
        }
        let table = ReportTable(
            caption: "Groups of clients",
            columns: [.text("group")] + ["clients", "messages each", "p50", "p99"].map { .number($0) },
            rows: [sick + figures(slow).dropFirst()] + healthy)
        return [table.node, HTMLPage.paragraph(NeighbourText.sentences(neighbours))]
    }

    static func resources(_ result: RunResult) -> [HTMLNode] {
        let resources = result.resources
        var rows: [[String]] = []
        func add(_ name: String, _ parts: [ResourceUsage]) {
            for (index, part) in parts.prefix(100).enumerated() {
                rows.append([
                    parts.count > 1 ? "\(name) \(index)" : name, String(part.pid),
                    "\(Figures.threeDigits(part.cpuSeconds)) s",
                    part.cpuSecondsPerMillionDeliveries.map { "\(Figures.threeDigits($0)) s" } ?? "–",
                    Figures.bytes(Double(part.rssBytes)), Figures.bytes(Double(part.peakRssBytes)), "",
                ])
            }
        }
        add("instance", resources.instances)
        add("worker", resources.workers ?? [])
        add("clients", resources.clients)
        if let redis = resources.redis {
            rows.append([
                "Redis", redis.pid.map(String.init) ?? "–",
                redis.cpuSeconds.map { "\(Figures.threeDigits($0)) s" } ?? "–",
                redis.cpuSecondsPerMillionDeliveries.map { "\(Figures.threeDigits($0)) s" } ?? "–",
                redis.rssBytes.map { Figures.bytes(Double($0)) } ?? "–",
                redis.peakRssBytes.map { Figures.bytes(Double($0)) } ?? "–", Figures.grouped(redis.connections),
            ])
        }
        guard !rows.isEmpty else { return [] }
        return [
            ReportTable(
                caption: "Over the measured window; parts with one pid share a process and its memory",
                columns: [.text("part")]
                    + ["pid", "CPU", "CPU a million deliveries", "memory", "peak memory", "connections"].map {
                        .number($0)
                    },
                rows: rows
            ).node
        ]
    }

    static func generator(_ result: RunResult) -> [HTMLNode] {
        guard let figures = result.generator else { return [] }
        var rows = [["planned load", "\(Figures.rate(figures.plannedDeliveriesPerSecond)) deliveries"]]
        if let calibration = result.calibration {
            rows.append(["can take here", "\(Figures.rate(calibration.deliveriesPerSecond)) deliveries"])
            if let floor = calibration.latencyFloor, floor.count > 0 {
                rows.append(["latency floor p50, p99", "\(Figures.time(floor.p50)), \(Figures.time(floor.p99))"])
            }
        } else {
            rows.append(["calibration", figures.notCalibrated ?? "none"])
        }
        if let stalls = figures.clientLoopStalls, stalls.count > 0 {
            rows.append(["client loops late, p99, max", "\(Figures.time(stalls.p99)), \(Figures.time(stalls.max))"])
        }
        if let cpu = figures.cpu {
            rows.append(["machine busy", "\(Figures.decimal(cpu.machineBusy * 100, places: 1)) %"])
            rows.append([
                "busiest recording loop",
                "\(Figures.decimal(cpu.recordingLoop.busy * 100, places: 1)) % busy, "
                    + "\(Figures.decimal(cpu.recordingLoop.waiting * 100, places: 1)) % waiting for a CPU",
            ])
        }
        return [
            HTMLPage.paragraph(
                "Validity: \(result.validity.verdict.rawValue). Whether the run measured the system or the generator itself."
            ),
            ReportTable(
                caption: "What was seen of the load generator", columns: [.text("figure"), .words("value")], rows: rows
            ).node,
        ]
    }
}
