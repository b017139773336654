import WSMHarness
import WSMRecord

/// The way of a message: the mean time in each stage, one behind the other, then the fan-out from the first subscriber to
/// the last.
struct WaterfallChart {
    private struct Stage {
        var name: String
        var what: String
        var summary: LatencySummary
        var from: Double
    }

    private let result: RunResult
    private let stages: [Stage]

    init(_ result: RunResult) {
        self.result = result
        let all: [(String, String, LatencySummary)] = [
            ("worker", "intended instant to worker done", result.stages.worker),
            ("queue", "waiting for the broadcast thread", result.stages.queue),
            ("publish", "taken until handed to the broker", result.stages.publish),
            ("broker", "through the broker to the instance", result.stages.broker),
            ("write", "instance until the frame is written", result.stages.write),
            ("wire", "written until the client has it", result.stages.wire),
            ("skew", "first subscriber to the last", result.fanOutSkew),
        ]
        var from = 0.0
        stages = all.filter { $0.2.count > 0 }.map { name, what, summary in
            // The skew is part of the wire: it ends where the last subscriber has the message.
            let start = name == "skew" ? max(0, from - Double(summary.mean)) : from
            if name != "skew" { from += Double(summary.mean) }
            return Stage(name: name, what: what, summary: summary, from: start)
        }
    }

    func figure(id: String) -> HTMLNode? {
        guard !stages.isEmpty else { return nil }
        let rows = stages.count + (result.latency.count > 0 ? 1 : 0)
        return Drawing.figure(
            id: id, title: "The way of a message",
            description: "Mean time in each stage, end to end. Stages up to publish are counted once a message, broker "
                + "and write once an instance, wire once a delivery, so that they need not add up to the mean response.",
            sizes: ChartSize.both(height: Double(rows) * 30 + 44).map {
                var size = $0
                size.left = 72
                return size
            }, alternative: table
        ) { draw($0, rows: rows) }
    }

    private func draw(_ size: ChartSize, rows: Int) -> [HTMLNode] {
        let bottom = Double(rows) * 30 + 4
        let most = max(
            stages.map { $0.from + Double($0.summary.mean) }.max() ?? 1, Double(result.latency.mean))
        let x = ChartScale.linear(to: most, start: size.left, end: size.width - 76)
        var nodes: [HTMLNode] = []
        for tick in x.ticks(size.isNarrow ? 2 : 5) {
            nodes.append(Drawing.line(x.place(tick), 2, x.place(tick), bottom, "grid"))
            nodes.append(Drawing.text(x.place(tick), bottom + 16, Figures.time(tick), anchor: "middle"))
        }
        nodes.append(Drawing.text(size.left, bottom + 34, "time since the intended instant, means"))
        for (row, stage) in stages.enumerated() {
            nodes += bar(stage, row, x, size)
        }
        if result.latency.count > 0 {
            let response = Stage(
                name: "response", what: "intended instant until the client has it", summary: result.latency, from: 0)
            nodes += bar(response, stages.count, x, size)
        }
        return nodes
    }

    private func bar(_ stage: Stage, _ row: Int, _ x: ChartScale, _ size: ChartSize) -> [HTMLNode] {
        let y = Double(row) * 30 + 6
        let (from, to) = (x.place(stage.from), x.place(stage.from + Double(stage.summary.mean)))
        let isSum = stage.name == "response"
        return [
            Drawing.text(size.left - 6, y + 15, stage.name, anchor: "end", style: "strong"),
            Drawing.rect(from, y, max(1.5, to - from), 20, isSum ? "f7" : "f\(row % 7)"),
            Drawing.text(max(to, from + 1.5) + 6, y + 15, Figures.time(stage.summary.mean)),
            Drawing.rect(
                size.left, y - 5, size.width - size.left, 30, "hit",
                title: "\(stage.name): \(stage.what)\nmean \(Figures.time(stage.summary.mean)), "
                    + "p50 \(Figures.time(stage.summary.p50)), p99 \(Figures.time(stage.summary.p99))"),
        ]
    }

    private var table: HTMLNode {
        ReportTable(
            caption: "Time in each stage",
            columns: [.text("stage"), .text("from … to")]
                + ["mean", "p50", "p90", "p99", "p99.9", "max", "samples"].map { .number($0) },
            rows: stages.map { stage in
                let summary = stage.summary
                return [stage.name, stage.what]
                    + [summary.mean, summary.p50, summary.p90, summary.p99, summary.p999, summary.max].map {
                        Figures.time($0)
                    } + [Figures.grouped(Int(summary.count))]
            }
        ).node
    }
}
