package import WSMHarness

extension HTMLReport {
    /// The page of a search for the capacity.
    package static func text(_ result: CapacityResult) -> String {
        var tiles: [(label: String, figure: String, note: String)] = []
        if let knee = result.knee {
            tiles.append(
                (
                    "Knee", CapacityWords.load(knee.load, result.vary),
                    "\(Figures.rate(knee.deliveriesPerSecond)) deliveries"
                ))
        }
        if let missed = result.bracket.missed {
            tiles.append(("Not carried", CapacityWords.load(missed, result.vary), result.limit))
        }
        tiles.append(
            ("Runs", Figures.grouped(result.points.reduce(0) { $0 + $1.runs.count }), "at \(result.points.count) loads")
        )
        return HTMLPage(
            title: result.name, word: CapacityWords.word(result), style: CapacityWords.style(result),
            sentence: CapacityWords.sentence(result), subtitle: CapacityWords.question(result),
            startedAt: result.startedAt, environment: result.environment,
            parts: [
                .init(
                    id: "key-figures", title: "Key figures",
                    nodes: [HTMLPage.tiles(tiles)] + HTMLPage.list(result.warnings)),
                .init(
                    id: "curve", title: "The curve",
                    nodes: [LoadChart(result).figure(id: "load"), points(result)].compactMap { $0 }),
                .init(id: "exhausted", title: "What is exhausted", nodes: exhausted(result)),
                .init(
                    id: "costs", title: "What it costs",
                    nodes: HTMLPage.list(
                        result.costs.map { CostText.sentence($0) }
                            + [CostText.inseparable(result.costs)].compactMap { $0 })),
            ]
        ).text
    }

    private static func exhausted(_ result: CapacityResult) -> [HTMLNode] {
        guard result.exhausted != nil else { return [] }
        return [HTMLPage.paragraph(CapacityWords.exhausted(result))] + HTMLPage.list(result.evidence)
    }

    private static func points(_ result: CapacityResult) -> HTMLNode {
        ReportTable(
            caption: "Medians of the runs at each load",
            columns: [.number("load, \(result.unit)"), .text("outcome")]
                + ["deliveries/s", "p50", "p99", "lost", "CPUs busy"].map { .number($0) } + [.words("why")],
            rows: result.points.prefix(200).map { point in
                [
                    CapacityWords.number(point.load),
                    point.outcome == .carried ? "✓ carried" : point.outcome == .missed ? "✕ missed" : "? not judged",
                    Figures.rate(point.deliveriesPerSecond), point.p50.map { Figures.time($0) } ?? "–",
                    point.p99.map { Figures.time($0) } ?? "–", Figures.grouped(point.lost),
                    point.cpu.map { Figures.threeDigits($0) } ?? "–", point.reason ?? "",
                ]
            }
        ).node
    }
}

/// Load against latency, deliveries, losses and CPU, with the knee and the first load that was missed.
struct LoadChart {
    private let result: CapacityResult

    init(_ result: CapacityResult) {
        self.result = result
    }

    private struct Panel {
        var name: String
        var curves: [(name: String, values: [Double?])]
        var kind: ChartScale.Kind
        var label: (Double) -> String
    }

    func figure(id: String) -> HTMLNode? {
        let points = result.points
        guard points.count > 1 else { return nil }
        let panels = [
            Panel(
                name: "latency, logarithmic",
                curves: [
                    ("p50", points.map { $0.p50.map(Double.init) }), ("p99", points.map { $0.p99.map(Double.init) }),
                ],
                kind: .logarithmic
            ) { Figures.time($0) },
            Panel(
                name: "deliveries/s", curves: [("", points.map(\.deliveriesPerSecond))], kind: .linear
            ) { Figures.rate($0) },
            Panel(name: "lost deliveries", curves: [("", points.map { Double($0.lost) })], kind: .linear) {
                Figures.grouped(Int($0))
            },
            Panel(name: "CPUs busy", curves: [("", points.map(\.cpu))], kind: .linear) { Figures.threeDigits($0) },
        ]
        return Drawing.figure(
            id: id, title: "Load against latency, throughput, loss and CPU",
            description:
                "Filled line: the knee, the highest load that was carried. Dashed line: the lowest that was not. Limit: "
                + result.limit + ".",
            sizes: ChartSize.both(height: 580, right: 44)
        ) { draw(panels, $0) }
    }

    private func draw(_ panels: [Panel], _ size: ChartSize) -> [HTMLNode] {
        let most = result.points.map(\.load).max() ?? 1
        let x = ChartScale.linear(to: most * 1.02, start: size.left, end: size.width - size.right)
        let bottom = 40.0 + Double(panels.count) * 122
        var nodes: [HTMLNode] = []
        for (load, style, word) in [
            (result.bracket.carried, "axis", "carried"), (result.bracket.missed, "mark", "missed"),
        ] {
            guard let load else { continue }
            nodes.append(Drawing.line(x.place(load), 20, x.place(load), bottom, style))
            nodes.append(
                Drawing.text(
                    x.place(load) + (word == "carried" ? -4 : 4), 14, word, anchor: word == "carried" ? "end" : "start",
                    style: "strong"))
        }
        for (number, panel) in panels.enumerated() {
            nodes += draw(panel, size, x, top: 44 + Double(number) * 122)
        }
        nodes.append(Drawing.line(x.start, bottom, x.end, bottom, "axis"))
        for tick in x.ticks(size.isNarrow ? 4 : 8) {
            nodes.append(Drawing.text(x.place(tick), bottom + 16, Figures.threeDigits(tick), anchor: "middle"))
        }
        nodes.append(Drawing.text(x.end, bottom + 34, "load, \(result.unit)", anchor: "end"))
        return nodes
    }

    private func draw(_ panel: Panel, _ size: ChartSize, _ x: ChartScale, top: Double) -> [HTMLNode] {
        let bottom = top + 84
        let known = panel.curves.flatMap { $0.values.compactMap { $0 } }
        let y =
            panel.kind == .linear
            ? ChartScale.linear(to: known.max() ?? 1, start: bottom, end: top + 6)
            : ChartScale.logarithmic(known.min() ?? 1000, known.max() ?? 1e6, start: bottom, end: top + 6)
        var nodes = Drawing.leftAxis(y, size, ticks: 3, label: panel.label)
        nodes.append(Drawing.text(size.left, top - 4, panel.name, style: "strong"))
        for (number, curve) in panel.curves.enumerated() {
            let places = zip(result.points, curve.values).map { point, value in
                value.map { (x: x.place(point.load), y: y.place($0)) }
            }
            nodes.append(Drawing.curve(places, "curve c\(number)"))
            for case let (place?, point) in zip(places, result.points) {
                nodes.append(
                    .tag(
                        .circle,
                        [.cx: coordinate(place.x), .cy: coordinate(place.y), .r: "3", .class: "f\(number) hit-dot"],
                        [.tag(.title, [:], "\(CapacityWords.load(point.load, result.vary)): \(point.outcome.rawValue)")]
                    ))
            }
            if let end = places.last ?? nil {
                nodes.append(Drawing.text(end.x + 8, end.y + 4, curve.name, style: "t\(number)"))
            }
        }
        return nodes
    }
}
