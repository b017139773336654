/// Helpers that draw into an SVG, and the frame that every chart has.
enum Drawing {
    /// A figure with its wide and its narrow drawing, each with a name and a description for those who cannot see it.
    ///
    /// - Parameters:
    ///   - id: Unique in the page.
    ///   - title: The drawing's name.
    ///   - description: What it shows, in a sentence or two.
    ///   - legend: The curves that buttons hide and show: class number and name.
    ///   - alternative: The same in words or as a table, folded.
    ///   - draw: Draws one size.
    static func figure(
        id: String, title: String, description: String, sizes: [ChartSize], legend: [(Int, String)] = [],
        alternative: HTMLNode? = nil, draw: (ChartSize) -> [HTMLNode]
    ) -> HTMLNode {
        var children: [HTMLNode] = [.tag(.figcaption, [:], description)]
        if legend.count > 1 {
            let buttons = legend.map { number, name in
                HTMLNode.tag(
                    .button, [.type: "button", .isPressed: "true", .series: "\(number)"], name)
            }
            children.append(.tag(.div, [.class: "legend", .role: "group", .label: "Show or hide curves"], buttons))
        }
        for size in sizes {
            let (name, words) = ("\(id)-\(size.name)-t", "\(id)-\(size.name)-d")
            children.append(
                .tag(
                    .svg,
                    [
                        .class: size.name, .role: "img", .labelledBy: "\(name) \(words)", .id: "\(id)-\(size.name)",
                        .viewBox: "0 0 \(coordinate(size.width)) \(coordinate(size.height))",
                    ],
                    [.tag(.title, [.id: name], title), .tag(.desc, [.id: words], description)] + draw(size)))
        }
        if let alternative {
            children.append(.tag(.details, [:], [.tag(.summary, [:], "The figures as a table"), alternative]))
        }
        return .tag(.figure, [.id: id], children)
    }

    static func text(
        _ x: Double, _ y: Double, _ text: String, anchor: String = "start", style: String? = nil
    ) -> HTMLNode {
        var attributes: [HTMLNode.Name: String] = [.x: coordinate(x), .y: coordinate(y), .anchor: anchor]
        attributes[.class] = style
        return .tag(.label, attributes, text)
    }

    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> HTMLNode {
        .tag(
            .line,
            [
                .x1: coordinate(x1), .y1: coordinate(y1), .x2: coordinate(x2), .y2: coordinate(y2), .class: style,
            ])
    }

    /// A rectangle; with `title` it tells that when pointed at.
    static func rect(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, title: String? = nil
    ) -> HTMLNode {
        .tag(
            .rect,
            [
                .x: coordinate(x), .y: coordinate(y), .width: coordinate(max(0, width)),
                .height: coordinate(max(0, height)), .class: style,
            ], title.map { [.tag(.title, [:], $0)] } ?? [])
    }

    /// The path through the points; an absent one interrupts it.
    static func curve(_ points: [(x: Double, y: Double)?], _ style: String) -> HTMLNode {
        var path = ""
        var isDown = false
        for point in points {
            guard let point else {
                isDown = false
                continue
            }
            path += (isDown ? "L" : "M") + coordinate(point.x) + " " + coordinate(point.y)
            isDown = true
        }
        return .tag(.path, [.d: path, .class: style])
    }

    /// Grid lines with labels at the left.
    static func leftAxis(_ scale: ChartScale, _ size: ChartSize, ticks: Int, label: (Double) -> String) -> [HTMLNode] {
        scale.ticks(ticks).flatMap { value -> [HTMLNode] in
            let y = scale.place(value)
            return [
                line(size.left, y, size.width - size.right, y, "grid"),
                text(size.left - 6, y + 4, label(value), anchor: "end"),
            ]
        }
    }

    /// Seconds along the bottom; `y` is where the drawing ends.
    static func timeAxis(_ scale: ChartScale, _ size: ChartSize, y: Double) -> [HTMLNode] {
        let ticks = scale.ticks(size.isNarrow ? 4 : 8)
        return [line(scale.start, y, scale.end, y, "axis")]
            + ticks.map { tick in
                let x = scale.place(tick)
                let name = tick == 0 ? "0 s" : Figures.time(tick)
                return text(x, y + 16, name, anchor: x > size.width - 24 ? "end" : "middle")
            }
            + [text(scale.end, y + 32, "time since the measured window began", anchor: "end")]
    }

    /// Moves labels apart that stand at almost the same height; keeps their order.
    static func spread(_ heights: [Double], distance: Double, within range: ClosedRange<Double>) -> [Double] {
        var places = heights
        let order = heights.indices.sorted { heights[$0] < heights[$1] }
        for (before, next) in zip(order, order.dropFirst()) where places[next] < places[before] + distance {
            places[next] = places[before] + distance
        }
        var limit = range.upperBound
        for index in order.reversed() {
            places[index] = max(range.lowerBound, min(places[index], limit))
            limit = places[index] - distance
        }
        return places
    }
}
