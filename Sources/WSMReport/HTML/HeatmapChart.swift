import WSMHarness

/// Latency over time: how many deliveries came when and how late, with the faults above them.
struct HeatmapChart {
    private static let shades = 6
    private let heatmap: LatencyHeatmap
    private let faults: [FaultResult]
    /// Of the measured window, in nanoseconds.
    private let measured: Int64

    init(_ heatmap: LatencyHeatmap, faults: [FaultResult], measured: Int64) {
        self.heatmap = heatmap
        self.faults = faults
        self.measured = max(1, measured)
    }

    /// The counts of a drawing: by column and row.
    private struct Grid {
        var columns: Int
        var width: Double
        /// The least latencies of the rows that hold anything, and of those between them.
        var rows: [Int64]
        var counts: [[Int64]]
    }

    /// The length of a bucket of time: all begin at its multiples.
    private var step: Int64 {
        var divisor = measured
        for cell in heatmap.cells {
            var (large, small) = (divisor, cell.from)
            while small != 0 { (large, small) = (small, large % small) }
            divisor = large
        }
        return max(divisor, measured / 10_000, 1)
    }

    private var end: Double {
        let last = (heatmap.cells.map(\.from).max() ?? 0) + step
        return max(Double(measured), min(Double(last), Double(measured) * 1.5))
    }

    func figure(id: String) -> HTMLNode? {
        guard heatmap.cells.contains(where: { $0.count > 0 }) else { return nil }
        return Drawing.figure(
            id: id, title: "Latency over time",
            description:
                "Each cell counts the deliveries that came at that time with that latency; the darker, the more "
                + "(each shade about four times the one before). "
                + (faults.isEmpty ? "No fault was injected." : "Bands between dashed lines are faults."),
            sizes: ChartSize.both(height: 330), draw: draw)
    }

    private func grid(columns: Int) -> Grid {
        let width = max(end / Double(columns), 1)
        // Octaves: steps of a quarter are finer than a drawing shows.
        func octave(_ latency: Int64) -> Int { latency < 16_384 ? 0 : 64 - latency.leadingZeroBitCount - 14 }
        let used = heatmap.cells.filter { $0.count > 0 }.map { half($0.latency, octave) }
        let (low, high) = (used.min() ?? 0, used.max() ?? 0)
        var counts = [[Int64]](repeating: [Int64](repeating: 0, count: high - low + 1), count: columns)
        for cell in heatmap.cells {
            let column = min(columns - 1, Int(Double(cell.from) / width))
            let row = half(cell.latency, octave)
            if row >= low, row <= high { counts[column][row - low] += cell.count }
        }
        return Grid(columns: columns, width: width, rows: (low...high).map(Self.floor), counts: counts)
    }

    /// The number of the half of an octave.
    private func half(_ latency: Int64, _ octave: (Int64) -> Int) -> Int {
        let number = octave(latency)
        guard number > 0 else { return 0 }
        let base = Int64(1) << Int64(13 + number)
        return number * 2 + (latency - base >= base / 2 ? 1 : 0)
    }

    private static func floor(_ row: Int) -> Int64 {
        guard row >= 2 else { return 0 }
        let base = Int64(1) << Int64(13 + row / 2)
        return row % 2 == 0 ? base : base + base / 2
    }

    private func draw(_ size: ChartSize) -> [HTMLNode] {
        // A column is never shorter than a bucket of the file: there would be holes.
        let buckets = max(1, Int((end / Double(step)).rounded()))
        let grid = grid(columns: min(size.isNarrow ? 60 : 150, buckets))
        let (top, bottom) = (34.0, size.height - 44)
        let x = ChartScale.linear(to: end, start: size.left, end: size.width - size.right)
        let height = (bottom - top) / Double(grid.rows.count)
        let width = (x.end - x.start) / Double(grid.columns)
        var nodes = FaultBands.nodes(faults, measured: measured, x, top: top, bottom: bottom, labels: true)
        nodes += shades(grid, x, height, width, bottom)
        let rowStep = max(1, (grid.rows.count + 8) / 9)
        for row in stride(from: 0, to: grid.rows.count, by: rowStep) {
            let y = bottom - Double(row) * height
            nodes.append(Drawing.text(size.left - 6, y - 1, Figures.time(grid.rows[row]), anchor: "end"))
        }
        nodes.append(Drawing.text(2, 12, "latency, from"))
        nodes += hits(grid, x, width, top, bottom)
        return nodes + Drawing.timeAxis(x, size, y: bottom)
    }

    /// One path for each shade: a cell is some fifteen characters.
    private func shades(
        _ grid: Grid, _ x: ChartScale, _ height: Double, _ width: Double, _ bottom: Double
    ) -> [HTMLNode] {
        let most = Double(grid.counts.joined().max() ?? 1)
        var paths = [String](repeating: "", count: Self.shades)
        for (column, counts) in grid.counts.enumerated() {
            for (row, count) in counts.enumerated() where count > 0 {
                // Each shade has a quarter of the one above it.
                var shade = Self.shades - 1
                var bound = most / 4
                while Double(count) < bound, shade > 0 {
                    shade -= 1
                    bound /= 4
                }
                let (left, up) = (x.start + Double(column) * width, bottom - Double(row + 1) * height)
                paths[shade] +=
                    "M\(coordinate(left)) \(coordinate(up))h\(coordinate(width))v\(coordinate(height))h-\(coordinate(width))z"
            }
        }
        return paths.enumerated().filter { !$0.element.isEmpty }.map {
            .tag(.path, [.d: $0.element, .class: "h h\($0.offset)"])
        }
    }

    private func hits(
        _ grid: Grid, _ x: ChartScale, _ width: Double, _ top: Double, _ bottom: Double
    ) -> [HTMLNode] {
        grid.counts.enumerated().compactMap { column, counts in
            let total = counts.reduce(0, +)
            guard total > 0, let low = counts.firstIndex(where: { $0 > 0 }),
                let high = counts.lastIndex(where: { $0 > 0 })
            else { return nil }
            let upper = high + 1 < grid.rows.count ? "below \(Figures.time(grid.rows[high + 1]))" : "the top row"
            return Drawing.rect(
                x.start + Double(column) * width, top, width, bottom - top, "hit",
                title: "from \(Figures.time(Double(column) * grid.width))\n\(Figures.grouped(Int(total))) deliveries\n"
                    + "from \(Figures.time(grid.rows[low])) to \(upper)")
        }
    }
}

/// The faults of a run over a chart whose x axis is time, and the end of the measured window.
enum FaultBands {
    /// At most so many are drawn; a run with more shows the first.
    private static let limit = 40

    static func nodes(
        _ faults: [FaultResult], measured: Int64, _ x: ChartScale, top: Double, bottom: Double, labels: Bool
    ) -> [HTMLNode] {
        var nodes: [HTMLNode] = []
        var free = -Double.infinity
        for fault in faults.filter({ $0.lateNanoseconds != nil || $0.failure == nil }).prefix(limit) {
            let from = x.place(Double(fault.at))
            let to = x.place(fault.healedAt.map { Double($0) } ?? x.high)
            nodes.append(Drawing.rect(from, top, max(1, to - from), bottom - top, "band"))
            nodes.append(Drawing.line(from, top - 4, from, bottom, "mark"))
            nodes.append(Drawing.line(to, top - 4, to, bottom, "mark"))
            // A label that would run into the one before it, or out of the drawing, is left to the table of faults.
            let isLate = from > x.start + (x.end - x.start) * 0.65
            let width = Double(fault.action.count) * 7
            let left = isLate ? from - width : from
            if labels, left > free {
                nodes.append(
                    Drawing.text(from, top - 8, fault.action, anchor: isLate ? "end" : "start", style: "fault"))
                free = left + width + 8
            }
        }
        if x.high > Double(measured) * 1.001 {
            let end = x.place(Double(measured))
            nodes.append(Drawing.line(end, top, end, bottom, "axis"))
            if labels { nodes.append(Drawing.text(end, top - 22, "load ends, drain", anchor: "end")) }
        }
        return nodes
    }
}
