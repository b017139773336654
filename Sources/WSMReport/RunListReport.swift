internal import Foundation
package import WSMHarness
internal import WSMRecord

/// The stored runs as a table, or as JSON for programs.
package enum RunListReport {
    /// A line a run, in the order given.
    ///
    /// - Parameter limit: So many are shown; the last line says how many more there are.
    package static func text(
        _ entries: [StoredRuns.Entry], limit: Int, color: Bool = false
    ) -> String {
        let shown = entries.prefix(limit)
        let header = row(["WHEN (UTC)", "VERDICT", "RECEIVED", "LOST", "P99", "RUN"])
        var lines = [Line(text: header)] + shown.map(line)
        if entries.count > shown.count {
            lines.append(
                Line(text: "… and \(Figures.grouped(entries.count - shown.count)) older ones: --limit shows more"))
        }
        // A path that is cut is of no use: the last column may be as long as it is.
        return lines.map { $0.rendered(color: color) + "\n" }.joined()
    }

    private static func line(_ entry: StoredRuns.Entry) -> Line {
        let when = PlainText.printable(entry.when).replacing("T", with: " ").replacing("Z", with: "")
        let folder = PlainText.printable(entry.folder)
        switch entry.content {
        case .damaged(let reason):
            let text = row([when, "DAMAGED", "–", "–", "–", folder]) + ": " + PlainText.printable(reason)
            return Line(text: text, marks: ["DAMAGED": .doubtful])
        case .experiment(let kind):
            return Line(text: row([when, kind, "–", "–", "–", folder]))
        case .run(let result):
            let headline = Headline(result)
            let p99 = result.latency.count > 0 ? Figures.time(result.latency.p99) : "–"
            let counts = result.delivery
            var text = row([
                when, headline.word, Figures.share(counts.received, of: counts.expected), Figures.grouped(counts.lost),
                p99, folder,
            ])
            // A folder that a run named itself begins with the scenario's name.
            let last = entry.folder.split(separator: "/").last ?? ""
            if !last.hasPrefix(result.name) { text += " (\(PlainText.printable(result.name)))" }
            return Line(text: text, marks: [headline.word: headline.style])
        }
    }

    private static func row(_ cells: [String]) -> String {
        PlainText.left(cells[0], 21) + PlainText.left(cells[1], 14) + PlainText.right(cells[2], 9)
            + PlainText.right(cells[3], 11) + PlainText.right(cells[4], 10) + "  " + cells[5]
    }

    // MARK: JSON

    /// `{schema: "wsmlab.list/1", runs: […]}`; a damaged folder has `damaged` in place of the figures,
    /// that of many runs `experiment`.
    package static func json(_ entries: [StoredRuns.Entry]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let list = List(runs: entries.map(Run.init))
        return String(decoding: try encoder.encode(list), as: UTF8.self) + "\n"
    }

    private struct List: Encodable {
        var schema = "wsmlab.list/1"
        var runs: [Run]
    }

    private struct Run: Encodable {
        var folder: String
        var when: String
        var damaged: String?
        var experiment: String?
        var name: String?
        var seed: UInt64?
        var verdict: RunResult.Verdict?
        var exitCode: Int32?
        var reason: String?
        var validity: Validity.Verdict?
        var interrupted: Bool?
        var expected: Int?
        var received: Int?
        var lost: Int?
        /// Nanoseconds; left out without samples.
        var p50: Int64?
        var p99: Int64?

        init(_ entry: StoredRuns.Entry) {
            folder = entry.folder
            when = entry.when
            switch entry.content {
            case .damaged(let reason): damaged = reason
            case .experiment(let kind): experiment = kind
            case .run(let result):
                (name, seed, reason) = (result.name, result.seed, result.reason)
                (verdict, exitCode) = (result.verdict, result.exitCode)
                (validity, interrupted) = (result.validity.verdict, result.interrupted)
                let counts = result.delivery
                (expected, received, lost) = (counts.expected, counts.received, counts.lost)
                if result.latency.count > 0 { (p50, p99) = (result.latency.p50, result.latency.p99) }
            }
        }
    }
}
