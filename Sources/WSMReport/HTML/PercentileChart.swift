internal import WSMCore
internal import WSMRecord

/// Latency by percentile on an axis of nines, a curve for each histogram.
struct PercentileChart {
    struct Curve {
        var name: String
        var histogram: LatencyHistogram
    }

    static let title = "Latency by percentile"
    private let curves: [Curve]

    /// - Parameter curves: At most eight are drawn, and only those with samples.
    init(_ curves: [Curve]) {
        self.curves = Array(curves.filter { $0.histogram.count > 0 }.prefix(8))
    }

    /// How many nines the largest histogram can tell: 10,000 samples know p99.99.
    private var nines: Int {
        let most = curves.map { Double($0.histogram.count) }.max() ?? 1
        return min(7, max(2, Int(Nines.position(of: most))))
    }

    func figure(id: String, description: String) -> HTMLNode? {
        guard !curves.isEmpty else { return nil }
        return Drawing.figure(
            id: id, title: Self.title, description: description, sizes: ChartSize.both(height: 360, right: 90),
            legend: curves.enumerated().map { ($0.offset, $0.element.name) }, alternative: table, draw: draw)
    }

    /// The last label of a phone's drawing must not run out of it.
    private func anchor(_ nine: Int, _ size: ChartSize) -> String {
        size.isNarrow && nine == nines ? "end" : "middle"
    }

    private static func name(_ nines: Int) -> String {
        switch nines {
        case 0: "0 %"
        case 1: "90 %"
        case 2: "99 %"
        default: "99." + String(repeating: "9", count: nines - 2) + " %"
        }
    }

    private func draw(_ size: ChartSize) -> [HTMLNode] {
        let bottom = size.height - 42
        let least = curves.map { Double($0.histogram.percentile(0).nanoseconds) }.min() ?? 1
        let most = curves.map { Double($0.histogram.percentile(100).nanoseconds) }.max() ?? 1
        let y = ChartScale.logarithmic(max(1000, least), most, start: bottom, end: 18)
        let x = ChartScale.linear(to: Double(nines), start: size.left, end: size.width - size.right)
        var nodes = Drawing.leftAxis(y, size, ticks: 7) { Figures.time($0) }
        for nine in 0...nines where !size.isNarrow || nines <= 3 || nine % 2 == 0 || nine == nines {
            nodes.append(Drawing.line(x.place(Double(nine)), 18, x.place(Double(nine)), bottom, "grid"))
            nodes.append(Drawing.text(x.place(Double(nine)), bottom + 16, Self.name(nine), anchor: anchor(nine, size)))
        }
        nodes.append(Drawing.text(size.left, bottom + 34, "share of deliveries or messages that were at least as fast"))
        nodes.append(Drawing.text(size.left, 11, "latency, logarithmic"))
        var ends: [(x: Double, y: Double)] = []
        for (number, curve) in curves.enumerated() {
            let points = points(curve.histogram, x, y)
            nodes.append(.tag(.g, [.series: "\(number)"], [Drawing.curve(points, "curve c\(number)")]))
            ends.append(points.last ?? (x.end, y.end))
        }
        if !size.isNarrow {
            let heights = Drawing.spread(ends.map { $0.y + 4 }, distance: 14, within: 24...(bottom + 2))
            for (number, curve) in curves.enumerated() {
                let label = Drawing.text(x.end + 8, heights[number], curve.name, style: "t\(number)")
                nodes.append(.tag(.g, [.series: "\(number)"], [label]))
            }
        }
        return nodes + hits(size, x, bottom)
    }

    private func points(
        _ histogram: LatencyHistogram, _ x: ChartScale, _ y: ChartScale
    ) -> [(x: Double, y: Double)] {
        let end = min(Double(nines), Nines.position(of: Double(histogram.count)) + 0.0001)
        let steps = max(2, Int(end * 16))
        return (0...steps).map { step in
            let position = end * Double(step) / Double(steps)
            let value = histogram.percentile(Nines.percent(at: position))
            return (x.place(position), y.place(Double(value.nanoseconds)))
        }
    }

    private func hits(_ size: ChartSize, _ x: ChartScale, _ bottom: Double) -> [HTMLNode] {
        let count = nines * 6
        let width = (x.end - x.start) / Double(count)
        return (0..<count).map { index in
            let percent = Nines.percent(at: (Double(index) + 0.5) / 6)
            let lines = curves.map { "\($0.name): \(Figures.time($0.histogram.percentile(percent)))" }
            let head = "p\(Figures.decimal(percent, places: percent < 99 ? 1 : percent < 99.9 ? 2 : 5))"
            return Drawing.rect(
                x.start + Double(index) * width, 18, width, bottom - 18, "hit",
                title: ([head] + lines).joined(separator: "\n"))
        }
    }

    private var table: HTMLNode {
        let columns = [50, 90, 99, 99.9, 99.99, 100]
        return ReportTable(
            caption: "\(Self.title): each column is the latency that this share did not exceed",
            columns: [.text("")] + ["p50", "p90", "p99", "p99.9", "p99.99", "max", "samples"].map { .number($0) },
            rows: curves.map { curve in
                [curve.name] + columns.map { Figures.time(curve.histogram.percentile($0)) }
                    + [Figures.grouped(Int(curve.histogram.count))]
            }
        ).node
    }
}
