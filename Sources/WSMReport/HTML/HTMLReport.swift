package import WSMHarness
internal import WSMRecord

/// `report.html`: a run as one page that needs nothing else, no network and no script.
package enum HTMLReport {
    /// The page of a run.
    package static func text(_ records: RunRecords) -> String {
        let result = records.result
        let headline = Headline(result)
        let prefix = PlainText.printable("\(result.name): ")
        let reason =
            headline.sentence.hasPrefix(prefix)
            ? String(headline.sentence.dropFirst(prefix.count)) : headline.sentence
        return HTMLPage(
            title: result.name, word: headline.word, style: headline.style, sentence: reason,
            subtitle: Headline.setup(of: result), startedAt: result.startedAt, environment: result.environment,
            parts: parts(records)
        ).text
    }

    private static func parts(_ records: RunRecords) -> [HTMLPage.Part] {
        let result = records.result
        return [
            .init(id: "key-figures", title: "Key figures", nodes: keyFigures(result)),
            .init(id: "latency", title: "Latency", nodes: latency(records)),
            .init(id: "over-time", title: "Over time", nodes: overTime(records)),
            .init(id: "way", title: "The way of a message", nodes: way(result)),
            .init(id: "guarantees", title: "Guarantees", nodes: GuaranteePart.nodes(result.guarantees)),
            .init(id: "thresholds", title: "Thresholds", nodes: thresholds(result)),
            .init(id: "faults", title: "Faults", nodes: faults(result)),
            .init(id: "breakdown", title: "Instances and clients", nodes: BreakdownPart.nodes(result)),
            .init(id: "resources", title: "Resources", nodes: BreakdownPart.resources(result)),
            .init(id: "generator", title: "The load generator", nodes: BreakdownPart.generator(result)),
            .init(id: "repeat", title: "Scenario as run", nodes: scenario(records)),
        ]
    }

    // MARK: Parts

    private static func keyFigures(_ result: RunResult) -> [HTMLNode] {
        let delivery = result.delivery
        let isVoid = result.validity.verdict == .invalid
        let instances = ResourceTotal(result.resources.instances)
        var tiles: [(label: String, figure: String, note: String)] = [
            (
                "Received", Figures.share(delivery.received, of: delivery.expected),
                "\(Figures.grouped(delivery.received)) of \(Figures.grouped(delivery.expected)) deliveries"
            ),
            (
                "Lost", Figures.grouped(delivery.lost),
                "\(Figures.grouped(delivery.duplicated)) duplicated, \(Figures.grouped(delivery.reordered)) reordered"
            ),
            (
                "Throughput", Figures.rate(delivery.perSecond),
                "deliveries, of \(Figures.grouped(delivery.published)) messages"
            ),
        ]
        if result.latency.count > 0 {
            tiles += [
                ("Latency p50", Figures.time(result.latency.p50), "from the intended instant"),
                ("Latency p99", Figures.time(result.latency.p99), "p99.9 \(Figures.time(result.latency.p999))"),
                (
                    "Latency max", Figures.time(result.latency.max),
                    "\(Figures.grouped(Int(result.latency.count))) samples"
                ),
            ]
        }
        if let cpu = instances.cpuSecondsPerMillionDeliveries {
            tiles.append(
                ("CPU of instances", "\(Figures.threeDigits(cpu)) s", "a million deliveries"))
        }
        if let redis = result.resources.redis {
            tiles.append(("Redis connections", Figures.grouped(redis.connections), "at most at a time"))
        }
        var nodes = [HTMLPage.tiles(tiles)]
        if isVoid { nodes.insert(HTMLPage.paragraph(GeneratorText.disclaimer, "bad"), at: 0) }
        let causes = delivery.lostByCause.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        if !causes.isEmpty {
            nodes.append(
                ReportTable(
                    caption: "Lost deliveries by cause", columns: [.text("cause"), .number("deliveries")],
                    rows: causes.map { [$0.key, Figures.grouped($0.value)] }
                ).node)
        }
        if delivery.indeterminate + delivery.missedOffline + delivery.foreign > 0 {
            nodes.append(
                HTMLPage.paragraph(
                    "\(Figures.grouped(delivery.indeterminate)) deliveries are indeterminate, "
                        + "\(Figures.grouped(delivery.missedOffline)) were missed by clients without a connection and are not "
                        + "expected, \(Figures.grouped(delivery.foreign)) messages were not of this run.", "soft"))
        }
        if result.validity.verdict != .valid {
            nodes.append(
                HTMLPage.paragraph("Validity: \(result.validity.verdict.rawValue.uppercased())", "strong warn"))
            nodes += HTMLPage.list(result.validity.reasons)
        }
        return nodes
    }

    static let tags: [(tag: String, name: String)] = [
        ("response", "response"), ("service", "service"), ("worker", "worker"), ("queue", "queue"),
        ("publish", "publish"), ("broker", "broker"), ("write", "write"), ("wire", "wire"),
    ]

    private static func latency(_ records: RunRecords) -> [HTMLNode] {
        let curves = tags.compactMap { tag, name in
            records.histograms[tag].map { PercentileChart.Curve(name: name, histogram: $0) }
        }
        let figure = PercentileChart(curves).figure(
            id: "percentiles",
            description:
                "Response counts from the instant at which a message was planned until a client had it; service from "
                + "when it was really ready; the others are the stages on its way. Each nine to the right is a delivery ten "
                + "times as rare.")
        var nodes = [figure ?? missing("latency.hlog", records, else: "No latency was measured.")]
        let others: [(String, LatencySummary)] = [
            ("schedule slip (the load generator's own)", records.result.scheduleSlip),
            ("fan-out skew, first to last subscriber", records.result.fanOutSkew),
            ("slow readers", records.result.latencySlowReaders),
        ].filter { $0.1.count > 0 }
        if !others.isEmpty {
            nodes.append(
                ReportTable(
                    caption: "Beside the way of a message",
                    columns: [.text("")] + ["p50", "p90", "p99", "p99.9", "max", "samples"].map { .number($0) },
                    rows: others.map { name, summary in
                        [name]
                            + [summary.p50, summary.p90, summary.p99, summary.p999, summary.max].map {
                                Figures.time($0)
                            }
                            + [Figures.grouped(Int(summary.count))]
                    }
                ).node)
        }
        return nodes
    }

    private static func overTime(_ records: RunRecords) -> [HTMLNode] {
        let result = records.result
        let heatmap = records.heatmap.flatMap {
            HeatmapChart($0, faults: result.faults, measured: result.durationNanoseconds).figure(id: "heatmap")
        }
        let time = TimeChart(records.moments, faults: result.faults, measured: result.durationNanoseconds)
        let warmup = result.setup.warmupNanoseconds
        let note = warmup > 0 ? "\(Figures.time(warmup)) of warm-up came before and are not counted. " : ""
        return [
            HTMLPage.paragraph(
                "\(note)\(Figures.time(result.durationNanoseconds)) were measured; then what was on its way could arrive.",
                "soft"),
            .tag(.h3, [:], "Latency"),
            heatmap ?? missing("heatmap.csv", records, else: "Nothing was received."),
            .tag(.h3, [:], "Throughput, loss and lag"),
            time.figure(id: "throughput") ?? missing("timeseries.csv", records, else: "Nothing was measured."),
        ]
    }

    /// Why a chart is not there.
    private static func missing(_ file: String, _ records: RunRecords, else words: String) -> HTMLNode {
        HTMLPage.paragraph(
            records.absent[file].map { "This chart is not here: \(file) \($0)." } ?? words, "soft missing")
    }

    private static func way(_ result: RunResult) -> [HTMLNode] {
        [
            WaterfallChart(result).figure(id: "waterfall")
                ?? HTMLPage.paragraph("No stage of the way was seen in this run.", "soft")
        ]
    }

    private static func thresholds(_ result: RunResult) -> [HTMLNode] {
        guard !result.thresholds.isEmpty else { return [] }
        let isVoid = result.validity.verdict == .invalid
        var table = ReportTable(
            caption: isVoid ? "Void: the run is INVALID" : "What the scenario asks of the figures",
            columns: [.text("threshold"), .text("verdict"), .number("actual")], rows: [])
        for (row, threshold) in result.thresholds.enumerated() {
            let actual = threshold.actual.map { MetricFormat.text($0, path: threshold.path) } ?? "no samples"
            let word = isVoid ? "void" : threshold.passed ? "✓ met" : "✕ missed"
            table.rows.append([threshold.expression, word, actual])
            table.styles[row] = [1: isVoid ? "soft" : threshold.passed ? "good" : "bad"]
        }
        return [table.node]
    }

    private static func faults(_ result: RunResult) -> [HTMLNode] {
        guard !result.faults.isEmpty else { return [] }
        let table = ReportTable(
            caption: "Times count from the start of the measured window",
            columns: [.text("fault")] + ["at", "healed", "lost", "blackout", "recovered after"].map { .number($0) },
            rows: result.faults.prefix(100).map { fault in
                [
                    fault.target.map { "\(fault.action) (instance \($0))" } ?? fault.action, Figures.time(fault.at),
                    fault.healedAt.map { Figures.time($0) } ?? "never", Figures.grouped(fault.lost),
                    fault.blackoutNanoseconds.map { Figures.time($0) } ?? "–",
                    fault.recoveredAfterNanoseconds.map { Figures.time($0) } ?? "never",
                ]
            })
        return [table.node] + HTMLPage.list(result.faults.prefix(20).map { FaultText.sentences($0, result.instances) })
    }

    private static func scenario(_ records: RunRecords) -> [HTMLNode] {
        guard let scenario = records.scenario else { return [missing("scenario.yaml", records, else: "")] }
        let path = records.folder.map { $0 + "/scenario.yaml" } ?? "scenario.yaml"
        let limit = 100_000
        let shown = scenario.count > limit ? String(scenario.prefix(limit)) + "\n…" : scenario
        return [
            HTMLPage.paragraph("The same plan again, message by message:"),
            HTMLPage.code("wsmlab run \(ShellWord.quoted(path))", label: "Command that repeats the run"),
            HTMLPage.paragraph("scenario.yaml, every default written out:"),
            HTMLPage.code(shown, label: "The scenario as run"),
        ]
    }
}
