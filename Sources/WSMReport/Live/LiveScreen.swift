import WSMCore
package import WSMHarness
import WSMRecord

/// Draws a run's progress as a screen of a few lines.
///
/// A pure function of the progress and the terminal's size, so that tests see every column. A narrow terminal gets fewer
/// lines and a low one those that matter most; no line is wider than the terminal.
package enum LiveScreen {
    /// A finished line, and how many columns of it are seen.
    package struct Line: Hashable, Sendable {
        package var text: String
        package var columns: Int
    }

    /// One row of the screen before it is known what fits.
    private struct Row {
        var line: ScreenLine
        /// Rows of a higher number go first when there is no room.
        var rank: Int
    }

    /// Below this width figures stand without labels.
    private static let narrow = 60
    private static let labelWidth = 12

    package static func lines(_ progress: RunProgress, width: Int, height: Int, color: Bool) -> [Line] {
        let width = max(1, width)
        var rows = [Row(line: head(progress, width), rank: 0)]
        if width < narrow {
            rows += narrowRows(progress, width)
        } else {
            rows += wideRows(progress, width)
        }
        while rows.count > max(1, height), let last = rows.indices.max(by: { rows[$0].rank < rows[$1].rank }) {
            rows.remove(at: last)
        }
        return rows.map { row in
            let line = row.line.cut(to: width)
            return Line(text: line.rendered(color: color), columns: line.columns)
        }
    }

    // MARK: The head

    /// `quickstart  measuring [####----]  6 s left`: the name is left out first, then the bar.
    private static func head(_ progress: RunProgress, _ width: Int) -> ScreenLine {
        let phase = TerminalText.left(progress.phase.rawValue, 11)
        let clock: String
        var share: Double?
        if progress.total > .zero {
            clock = "\(ClockText.coarse(max(.zero, progress.total - progress.elapsed))) left"
            share = progress.elapsed.seconds / progress.total.seconds
        } else {
            clock = ClockText.coarse(progress.elapsed)
        }
        var line = ScreenLine()
        let name = PlainText.printable(progress.name)
        let needed = TerminalText.columns(phase) + TerminalText.columns(clock) + 2
        if !name.isEmpty, width - needed - TerminalText.columns(name) - 2 >= 24 {
            line.append(name + "  ")
        }
        line.append(phase, .bold)
        if let share {
            // The room of the longest clock is kept, so that the bar does not jump.
            let room = width - line.columns - max(13, TerminalText.columns(clock)) - 4
            if room >= 4 { line.append(BarText.bar(share, cells: min(40, room)) + "  ") }
        }
        line.append(clock)
        return line
    }

    // MARK: Wide

    private static func wideRows(_ progress: RunProgress, _ width: Int) -> [Row] {
        let room = width - labelWidth
        func row(_ label: String, _ items: [ScreenLine], _ rank: Int) -> Row? {
            guard !items.isEmpty else { return nil }
            var line = ScreenLine(TerminalText.left("  " + label, labelWidth), .dim)
            line.append(ScreenLine.row(items, width: room))
            return Row(line: line, rank: rank)
        }
        var rows = [
            row("clients", [clients(progress)], 1), row("rate", rates(progress), 2),
            row("latency", latencies(progress), 3), row("means", stages(progress), 8),
            row("instances", instances(progress, room), 4),
        ].compactMap { $0 }
        for (index, fault) in shownFaults(progress, limit: 4).enumerated() {
            // The latest matters most.
            if let row = row(index == 0 ? "faults" : "", [fault], index == 0 ? 6 : 5) { rows.append(row) }
        }
        if let next = next(progress), let row = row("next", [next], 7) { rows.append(row) }
        if let row = row("signs", signs(progress), 5) { rows.append(row) }
        return rows
    }

    private static func clients(_ progress: RunProgress) -> ScreenLine {
        let text = "\(Figures.grouped(progress.clientsConnected)) of \(Figures.grouped(progress.clientsPlanned)) up"
        return ScreenLine(text, missesClients(progress) ? .doubtful : nil)
    }

    /// Whether clients are away that should be there: not while they are still connecting, or on their way home.
    static func missesClients(_ progress: RunProgress) -> Bool {
        progress.clientsConnected < progress.clientsPlanned
            && [.warmup, .measuring, .draining].contains(progress.phase)
    }

    private static func rates(_ progress: RunProgress) -> [ScreenLine] {
        guard progress.published > 0 || progress.received > 0 else { return [] }
        return [
            ScreenLine("\(Figures.rate(progress.publishedPerSecond)) published"),
            ScreenLine("\(Figures.rate(progress.receivedPerSecond)) delivered"),
            ScreenLine("\(Figures.grouped(progress.received)) so far"),
        ]
    }

    private static func latencies(_ progress: RunProgress) -> [ScreenLine] {
        guard let p50 = progress.p50, let p99 = progress.p99 else { return [] }
        func pair(_ p50: TimeSpan?, _ p99: TimeSpan?) -> String {
            guard let p50, let p99 else { return "nothing arrives" }
            return "p50 \(PlainText.left(Figures.time(p50), 8)) p99 \(Figures.time(p99))"
        }
        var items: [ScreenLine] = []
        if progress.phase == .measuring {
            items.append(ScreenLine(PlainText.left("now \(pair(progress.recentP50, progress.recentP99))", 29)))
        }
        items.append(ScreenLine("so far \(pair(p50, p99))"))
        return items
    }

    /// The mean time in each stage, in the order of a message's way.
    private static func stages(_ progress: RunProgress) -> [ScreenLine] {
        let known = (progress.stages?.stages ?? []).filter { $0.share.count > 0 }
        guard !known.isEmpty else { return [] }
        return [ScreenLine(known.map { "\($0.name) \(Figures.time($0.share.mean))" }.joined(separator: " > "))]
    }

    private static func instances(_ progress: RunProgress, _ room: Int) -> [ScreenLine] {
        let all = progress.instances.map { instance -> ScreenLine in
            ScreenLine(InstanceText.state(instance), style(instance, progress.phase))
        }
        let width = all.reduce(0) { $0 + $1.columns + 2 }
        guard width > room else { return all }
        return [ScreenLine(InstanceText.summary(progress.instances), worst(progress.instances, progress.phase))]
    }

    static func style(_ instance: RunProgress.Instance, _ phase: RunProgress.Phase) -> Style? {
        if instance.isThreadDead { return .bad }
        // At the end they are meant to go down.
        if phase == .closing { return nil }
        return switch instance.state {
        case .up: nil
        case .starting, .paused, .stopping: .doubtful
        case .down: .bad
        }
    }

    static func worst(_ instances: [RunProgress.Instance], _ phase: RunProgress.Phase) -> Style? {
        let styles = instances.compactMap { style($0, phase) }
        return styles.contains(.bad) ? .bad : styles.first
    }

    // MARK: Faults and signs

    private static func shownFaults(_ progress: RunProgress, limit: Int) -> [ScreenLine] {
        let shown = progress.faults.happened.suffix(limit)
        let hidden = progress.faults.earlier + progress.faults.happened.count - shown.count
        return shown.enumerated().map { index, fault in
            var line = LiveFaultText.line(fault, at: windowTime(progress))
            if index == 0, hidden > 0 { line.append(" (\(Figures.grouped(hidden)) before)", .dim) }
            return line
        }
    }

    private static func next(_ progress: RunProgress) -> ScreenLine? {
        guard let next = progress.faults.next, [.warmup, .measuring].contains(progress.phase) else { return nil }
        return ScreenLine(LiveFaultText.next(next, at: windowTime(progress)), .dim)
    }

    /// How far the measured window is; negative before it begins, `nil` after its end.
    static func windowTime(_ progress: RunProgress) -> TimeSpan? {
        switch progress.phase {
        case .warmup: progress.elapsed - progress.total
        case .measuring: progress.elapsed
        default: nil
        }
    }

    private static func signs(_ progress: RunProgress) -> [ScreenLine] {
        let parts = SignText.parts(progress.signs)
        guard !parts.isEmpty else { return [] }
        return parts.map { ScreenLine($0, .doubtful) } + [ScreenLine("(losses are counted at the end)", .dim)]
    }

    // MARK: Narrow

    private static func narrowRows(_ progress: RunProgress, _ width: Int) -> [Row] {
        var rows: [Row] = []
        func add(_ items: [ScreenLine], _ rank: Int) {
            if !items.isEmpty { rows.append(Row(line: ScreenLine.row(items, width: width), rank: rank)) }
        }
        var first = [clients(progress)]
        if progress.received > 0 { first.append(ScreenLine("\(Figures.rate(progress.receivedPerSecond)) delivered")) }
        add(first, 1)
        if let p50 = progress.recentP50 ?? progress.p50, let p99 = progress.recentP99 ?? progress.p99 {
            let when = progress.recentP50 == nil ? "so far" : "now"
            add([ScreenLine("p50 \(Figures.time(p50))"), ScreenLine("p99 \(Figures.time(p99))"), ScreenLine(when)], 2)
        }
        let unusual = progress.instances.filter { style($0, progress.phase) != nil }
        if !unusual.isEmpty {
            add([ScreenLine(InstanceText.summary(unusual), worst(unusual, progress.phase))], 3)
        }
        if let latest = progress.faults.happened.last {
            add([LiveFaultText.short(latest, at: windowTime(progress))], 4)
        }
        add(SignText.parts(progress.signs).map { ScreenLine($0, .doubtful) }, 5)
        return rows
    }
}
