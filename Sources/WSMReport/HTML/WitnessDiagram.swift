internal import WSMVerify

/// A witness as a space-time diagram: a line of life for each publisher and client, time from left to right, an arrow from
/// each publish to each receipt.
struct WitnessDiagram {
    private struct Row: Hashable {
        var who: String
        var instance: UInt16?

        var name: String { instance.map { "\(who), instance \($0)" } ?? who }
    }

    /// More events than this are not drawn.
    private static let limit = 12
    private let events: [WitnessEvent]
    private let rows: [Row]

    init(_ events: [WitnessEvent]) {
        self.events = Array(events.prefix(Self.limit))
        var rows: [Row] = []
        for event in self.events {
            let row = Row(who: event.who, instance: event.instance)
            if !rows.contains(row) { rows.append(row) }
        }
        self.rows = rows
    }

    func figure(id: String, witness: String) -> HTMLNode? {
        guard events.count > 1 else { return nil }
        let sizes = [
            ChartSize(name: "wide", width: 880, height: Double(rows.count) * 52 + 40, left: 170, right: 60),
            ChartSize(name: "narrow", width: 360, height: Double(rows.count) * 62 + 40, left: 16, right: 44),
        ]
        return Drawing.figure(
            id: id, title: "Witness of the violation", description: witness, sizes: sizes, alternative: table,
            draw: draw)
    }

    /// Events stand at equal distances, in their order: of some no instant is known.
    private func place(_ index: Int, _ size: ChartSize) -> Double {
        let span = size.width - size.right - size.left - 30
        return size.left + 20 + span * Double(index) / Double(max(1, events.count - 1))
    }

    private func height(_ event: WitnessEvent, _ size: ChartSize) -> Double {
        let row = rows.firstIndex(of: Row(who: event.who, instance: event.instance)) ?? 0
        return Double(row) * (size.isNarrow ? 62 : 52) + (size.isNarrow ? 38 : 30)
    }

    private func draw(_ size: ChartSize) -> [HTMLNode] {
        var nodes: [HTMLNode] = []
        for row in rows {
            let y = height(WitnessEvent(.closed, who: row.who, instance: row.instance, message: nil), size)
            nodes.append(Drawing.line(size.left, y, size.width - 12, y, "life"))
            nodes.append(
                size.isNarrow
                    ? Drawing.text(size.left, y - 22, row.name, style: "strong")
                    : Drawing.text(size.left - 10, y + 4, row.name, anchor: "end", style: "strong"))
        }
        for (index, event) in events.enumerated() where event.kind == .received || event.kind == .missed {
            guard
                let from = events.firstIndex(where: {
                    ($0.kind == .published || $0.kind == .submitted) && $0.message == event.message
                }), from < index
            else { continue }
            let start = (x: place(from, size), y: height(events[from], size))
            let end = (x: place(index, size), y: height(event, size))
            nodes.append(Drawing.curve([start, end], event.kind == .missed ? "lost" : "way"))
        }
        for (index, event) in events.enumerated() {
            nodes += mark(event, place(index, size), height(event, size))
        }
        let words = "in order, not to scale; ~ no instant is kept"
        nodes.append(Drawing.text(size.width - 12, size.height - 8, words, anchor: "end"))
        return nodes
    }

    private func mark(_ event: WitnessEvent, _ x: Double, _ y: Double) -> [HTMLNode] {
        let time = event.atNanoseconds.map { Figures.decimal(Double($0) / 1e9, places: 3) + " s" } ?? "~"
        let message = event.message ?? ""
        if event.kind == .missed {
            return [
                Drawing.curve([(x - 6, y - 6), (x + 6, y + 6), nil, (x - 6, y + 6), (x + 6, y - 6)], "lost"),
                Drawing.text(x, y + 20, "\(message) never came", anchor: "end", style: "bad"),
            ]
        }
        let text = event.kind == .closed ? "closed" : message
        return [
            .tag(.circle, [.cx: coordinate(x), .cy: coordinate(y), .r: "5", .class: "dot"]),
            Drawing.text(x, y - 9, text, anchor: "middle", style: "strong"),
            Drawing.text(x, y + 20, time, anchor: "middle"),
        ]
    }

    private var table: HTMLNode {
        ReportTable(
            caption: "The events in their order; times count from the start of the run",
            columns: [.text("who"), .text("did"), .text("message"), .number("when")],
            rows: events.map { event in
                [
                    Row(who: event.who, instance: event.instance).name, event.kind.rawValue, event.message ?? "",
                    event.atNanoseconds.map { Figures.decimal(Double($0) / 1e9, places: 3) + " s" } ?? "not kept",
                ]
            }
        ).node
    }
}
