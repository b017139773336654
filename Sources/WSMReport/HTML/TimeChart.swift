import WSMHarness

/// Throughput, loss and lag over time: panels above one another with one time axis.
struct TimeChart {
    private let moments: [RunRecords.Moment]
    private let faults: [FaultResult]
    private let measured: Int64
    /// Of a moment, in nanoseconds.
    private let width: Int64

    init(_ moments: [RunRecords.Moment], faults: [FaultResult], measured: Int64) {
        (self.moments, width) = Self.merged(moments, measured: measured)
        self.faults = faults
        self.measured = max(1, measured)
    }

    private static let limit = 300

    /// Joins neighbours until few enough are left; percentiles are the greatest of those joined.
    private static func merged(
        _ moments: [RunRecords.Moment], measured: Int64
    ) -> ([RunRecords.Moment], width: Int64) {
        let step = moments.count > 1 ? max(1, moments[1].from - moments[0].from) : max(1, measured)
        let size = max(1, (moments.count + limit - 1) / limit)
        let joined = stride(from: 0, to: moments.count, by: size).map { start in
            moments[start..<min(start + size, moments.count)].dropFirst().reduce(into: moments[start]) { sum, next in
                sum.published += next.published
                sum.received += next.received
                sum.lost += next.lost
                sum.openSessions = next.openSessions
                sum.p50 = [sum.p50, next.p50].compactMap { $0 }.max()
                sum.p99 = [sum.p99, next.p99].compactMap { $0 }.max()
                sum.lag = [sum.lag, next.lag].compactMap { $0 }.max()
            }
        }
        return (joined, step * Int64(size))
    }

    private struct Panel {
        var name: String
        var values: [[Double?]]
        var names: [String] = []
        var kind = ChartScale.Kind.linear
        var label: (Double) -> String
    }

    private func rate(_ count: Int) -> Double { Double(count) * 1e9 / Double(width) }

    private var panels: [Panel] {
        let lags = [moments.map(\.p50), moments.map(\.p99), moments.map(\.lag)]
        return [
            Panel(name: "received, deliveries/s", values: [moments.map { rate($0.received) }]) { Figures.rate($0) },
            Panel(name: "published, messages/s", values: [moments.map { rate($0.published) }]) { Figures.rate($0) },
            Panel(name: "lost, deliveries/s, by time of publishing", values: [moments.map { rate($0.lost) }]) {
                Figures.rate($0)
            },
            Panel(
                name: "lag: latency of what came then", values: lags.map { $0.map { $0.map(Double.init) } },
                names: ["p50", "p99", "max"], kind: .logarithmic
            ) { Figures.time($0) },
            Panel(name: "open sessions", values: [moments.map { Double($0.openSessions) }]) {
                Figures.grouped(Int($0))
            },
        ]
    }

    private static let panelHeight = 104.0

    func figure(id: String) -> HTMLNode? {
        guard !moments.isEmpty else { return nil }
        let panels = panels
        return Drawing.figure(
            id: id, title: "Throughput, loss and lag over time",
            description: "Deliveries received, messages published, losses, lag and open sessions in steps of "
                + Figures.time(width) + "." + (faults.isEmpty ? "" : " Bands between dashed lines are faults."),
            sizes: ChartSize.both(height: Double(panels.count) * Self.panelHeight + 56, right: 44), alternative: table
        ) { size in
            let bottom = Double(panels.count) * Self.panelHeight + 14
            let x = ChartScale.linear(
                to: Double(measured), start: size.left, end: size.width - size.right)
            var nodes = FaultBands.nodes(
                faults, measured: measured, x, top: 26, bottom: bottom, labels: true)
            for (index, panel) in panels.enumerated() {
                nodes += draw(panel, size, x, top: Double(index) * Self.panelHeight + 40)
            }
            return nodes + hits(size, x, bottom) + Drawing.timeAxis(x, size, y: bottom)
        }
    }

    private func draw(_ panel: Panel, _ size: ChartSize, _ x: ChartScale, top: Double) -> [HTMLNode] {
        let bottom = top + Self.panelHeight - 34
        let known = panel.values.joined().compactMap { $0 }
        let y =
            panel.kind == .linear
            ? ChartScale.linear(to: known.max() ?? 1, start: bottom, end: top + 6)
            : ChartScale.logarithmic(known.min() ?? 1000, known.max() ?? 1e6, start: bottom, end: top + 6)
        var nodes = Drawing.leftAxis(y, size, ticks: 3, label: panel.label)
        nodes.append(Drawing.text(size.left, top - 3, panel.name, style: "strong"))
        var ends: [Double] = []
        for (number, values) in panel.values.enumerated() {
            let points = zip(moments, values).map { moment, value in
                value.map { (x: x.place(Double(moment.from) + Double(width) / 2), y: y.place($0)) }
            }
            nodes.append(Drawing.curve(points, "curve c\(number)"))
            ends.append((points.last { $0 != nil } ?? nil)?.y ?? bottom)
        }
        let heights = Drawing.spread(ends.map { $0 + 4 }, distance: 13, within: top...(bottom + 8))
        for (number, name) in panel.names.enumerated() {
            nodes.append(Drawing.text(x.end + 4, heights[number], name, style: "t\(number)"))
        }
        return nodes
    }

    private func hits(_ size: ChartSize, _ x: ChartScale, _ bottom: Double) -> [HTMLNode] {
        let step = max(1, moments.count / (size.isNarrow ? 60 : 150))
        return stride(from: 0, to: moments.count, by: step).map { index in
            let moment = moments[index]
            let from = x.place(Double(moment.from))
            let to = x.place(Double(moment.from + width * Int64(step)))
            let lag = moment.p99.map { "\np99 \(Figures.time($0))" } ?? ""
            return Drawing.rect(
                from, 26, to - from, bottom - 26, "hit",
                title: "from \(Figures.time(moment.from))\nreceived \(Figures.rate(rate(moment.received)))\n"
                    + "published \(Figures.rate(rate(moment.published)))\nlost \(Figures.grouped(moment.lost))\(lag)")
        }
    }

    private var table: HTMLNode {
        let step = max(1, (moments.count + 59) / 60)
        return ReportTable(
            caption: step > 1 ? "Every \(step)th step of the curves" : "The steps of the curves",
            columns: ["from", "received", "published", "lost", "sessions", "p50", "p99", "max"].map { .number($0) },
            rows: stride(from: 0, to: moments.count, by: step).map { index in
                let moment = moments[index]
                return [Figures.time(moment.from)]
                    + [moment.received, moment.published, moment.lost, moment.openSessions].map(Figures.grouped)
                    + [moment.p50, moment.p99, moment.lag].map { $0.map { Figures.time($0) } ?? "–" }
            }
        ).node
    }
}
