import WSMCore
package import WSMHarness
import WSMRecord

/// Draws a run's progress as text.
///
/// Pure, so that tests see every column.
package enum ProgressLine {
    /// What is redrawn on a terminal: the phase with its bar and the time left, and the figures below it.
    ///
    /// No line is wider than `width` columns.
    package static func live(_ progress: RunProgress, width: Int) -> [String] {
        let width = max(width, 20)
        var head = PlainText.left(progress.phase.rawValue, 10)
        if progress.total > .zero {
            let left = max(.zero, progress.total - progress.elapsed)
            let tail = "  \(Figures.time(left)) left"
            let cells = min(40, width - head.count - tail.count - 2)
            if cells >= 4 { head += bar(progress, cells: cells) }
            head += tail
        } else {
            head += "  \(Figures.time(progress.elapsed))"
        }
        var lines = [head, figures(progress)]
        if let stages = progress.stages { lines.append(waterfall(stages)) }
        return lines.map { PlainText.cut($0, to: width) }
    }

    /// The mean time in each stage, in the order of a message's way.
    private static func waterfall(_ means: StageMeans) -> String {
        let known = means.stages.filter { $0.share.count > 0 }
        return "mean: " + known.map { "\($0.name) \(Figures.time($0.share.mean))" }.joined(separator: " > ")
    }

    /// A line of its own, for logs.
    package static func plain(_ progress: RunProgress) -> String {
        var text = progress.phase.rawValue
        if progress.total > .zero {
            text += " \(Figures.time(progress.elapsed)) of \(Figures.time(progress.total))"
        } else if progress.elapsed > .zero {
            text += " \(Figures.time(progress.elapsed))"
        }
        return "\(text): \(figures(progress))"
    }

    private static func bar(_ progress: RunProgress, cells: Int) -> String {
        let share = progress.elapsed.seconds / progress.total.seconds
        let full = Int((min(max(share, 0), 1) * Double(cells)).rounded(.down))
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: cells - full) + "]"
    }

    private static func figures(_ progress: RunProgress) -> String {
        var parts = [
            "\(Figures.grouped(progress.clientsConnected))/\(Figures.grouped(progress.clientsPlanned)) clients"
        ]
        if progress.received > 0 || progress.published > 0 {
            parts.append(Figures.rate(progress.ratePerSecond))
        }
        if let p50 = progress.p50 { parts.append("p50 \(Figures.time(p50))") }
        if let p99 = progress.p99 { parts.append("p99 \(Figures.time(p99))") }
        if progress.received > 0 || progress.lost > 0 { parts.append("lost \(Figures.grouped(progress.lost))") }
        return parts.joined(separator: "  ")
    }
}
