/// Ratios with their intervals about the line of no difference.
struct ForestPlot {
    struct Row {
        var name: String
        var value: Double
        /// The ends of the 95 % interval, where it is known.
        var low: Double?
        var high: Double?
        /// The verdict, at the right.
        var word: String
        /// The largest ratio that is tolerated.
        var limit: Double?
        /// What the same build gives against itself.
        var control: Double?
    }

    private static let ticks = [
        0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.5, 2, 5, 10, 20, 50, 100,
    ]
    /// Between two ticks, so that their labels do not touch.
    private static let tickRoom = 48.0

    private let title: String
    private let description: String
    private let rows: [Row]
    private let least: ClosedRange<Double>

    /// - Parameters:
    ///   - rows: Those whose value is no ratio are left out.
    ///   - least: What the axis shows in any case.
    init(title: String, description: String, rows: [Row], least: ClosedRange<Double>) {
        self.title = title
        self.description = description
        self.rows = rows.filter { $0.value > 0 && $0.value.isFinite }
        self.least = least
    }

    /// The drawing; `nil` without rows.
    func figure(id: String) -> HTMLNode? {
        guard !rows.isEmpty else { return nil }
        let sizes = [
            ChartSize(name: "wide", width: 880, height: Double(rows.count) * 28 + 50, left: 270, right: 110),
            ChartSize(name: "narrow", width: 360, height: Double(rows.count) * 44 + 50, left: 20, right: 70),
        ]
        return Drawing.figure(id: id, title: title, description: description, sizes: sizes, draw: draw)
    }

    private func draw(_ size: ChartSize) -> [HTMLNode] {
        let step = size.isNarrow ? 44.0 : 28
        let bottom = Double(rows.count) * step + 8
        let values = rows.flatMap { [$0.value, $0.low, $0.high, $0.limit, $0.control].compactMap { $0 } }
            .filter { $0 > 0 && $0.isFinite }
        let x = ChartScale(
            kind: .logarithmic, low: max(0.01, min(least.lowerBound, (values.min() ?? 1) * 0.97)),
            high: min(100, max(least.upperBound, (values.max() ?? 1) * 1.03)), start: size.left,
            end: size.width - size.right)
        var nodes = shown(x).flatMap { tick in
            [
                Drawing.line(x.place(tick), 4, x.place(tick), bottom, tick == 1 ? "axis" : "grid"),
                Drawing.text(x.place(tick), bottom + 16, "\(Figures.threeDigits(tick)) ×", anchor: "middle"),
            ]
        }
        for (number, row) in rows.enumerated() {
            nodes += draw(row, at: Double(number) * step + (size.isNarrow ? 34 : 20), x, size)
        }
        return nodes
    }

    /// The ticks that have room, the one at 1 first of all.
    private func shown(_ x: ChartScale) -> [Double] {
        let within = Self.ticks.filter { $0 >= x.low && $0 <= x.high }
        return within.sorted { abs($0 - 1) < abs($1 - 1) }.reduce(into: [Double]()) { shown, tick in
            if shown.allSatisfy({ abs(x.place($0) - x.place(tick)) >= Self.tickRoom }) { shown.append(tick) }
        }
    }

    private func draw(_ row: Row, at y: Double, _ x: ChartScale, _ size: ChartSize) -> [HTMLNode] {
        func place(_ value: Double) -> Double { x.place(min(x.high, max(x.low, value))) }
        var nodes = [
            size.isNarrow
                ? Drawing.text(size.left, y - 12, row.name, style: "strong")
                : Drawing.text(size.left - 14, y + 4, row.name, anchor: "end", style: "strong")
        ]
        if let limit = row.limit { nodes.append(Drawing.line(place(limit), y - 9, place(limit), y + 9, "limit")) }
        if let low = row.low, let high = row.high {
            nodes.append(Drawing.line(place(low), y, place(high), y, "way"))
        }
        if let control = row.control {
            nodes.append(
                .tag(
                    .circle, [.cx: coordinate(place(control)), .cy: coordinate(y), .r: "4.5", .class: "ring"]))
        }
        nodes.append(
            .tag(.circle, [.cx: coordinate(place(row.value)), .cy: coordinate(y), .r: "4.5", .class: "dot"]))
        nodes.append(Drawing.text(size.width - size.right + 8, y + 4, row.word))
        return nodes
    }
}
