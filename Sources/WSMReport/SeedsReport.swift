package import WSMHarness

/// What many seeds gave, for people: the answer first, then each failing seed and the command that replays it.
package enum SeedsReport {
    private static let lineLimit = 50

    /// The report, with a line feed at the end of each line.
    ///
    /// - Parameters:
    ///   - folder: Where seeds.json is; `nil` leaves the line out.
    ///   - width: The terminal's width in columns; 60 to ``TextReport/widthLimit`` are used. A command is never cut.
    ///   - color: Whether to use terminal styles.
    package static func text(
        _ result: SeedCampaignResult, folder: String? = nil, width: Int = TextReport.widthLimit, color: Bool = false
    ) -> String {
        let width = min(max(width, 60), TextReport.widthLimit)
        var sections = [
            Section(lines: head(result, width: width)),
            Section(
                lines: result.failures.flatMap { failure($0, result, width: width) }, separated: true, isElastic: true,
                fixed: 2, more: "more lines on failing seeds, see seeds.json"),
            Section(lines: shrunken(result, folder: folder, width: width), separated: true),
            Section(lines: twice(result, width: width), separated: true),
            Section(lines: probes(result, width: width)),
            Section(lines: TextReport.ground(result.environment, folder: folder), separated: true),
        ]
        Section.fit(&sections, into: lineLimit)
        return Section.lines(of: sections).map { $0.rendered(color: color) + "\n" }.joined()
    }

    /// The same as Markdown.
    package static func markdown(_ result: SeedCampaignResult, folder: String? = nil) -> String {
        var text = "## \(escaped("\(word(result).0) \(result.name)"))\n\n"
        text += "\(escaped(sentence(result)))\n"
        if !result.failures.isEmpty {
            text += "\n| seed | verdict | why |\n|---|---|---|\n"
            for failure in result.failures.prefix(100) {
                text += "| \(failure.seed) | \(failure.verdict.rawValue) | \(escaped(failure.reason)) |\n"
            }
            text +=
                "\nReplay one with `\(PlainText.printable(replay(result.failures[0], result)).replacing("`", with: "'"))`.\n"
        }
        for shrunk in result.shrunken ?? [] {
            text +=
                "\nSeed \(shrunk.seed) became \(shrunk.size.items) plan items of \(shrunk.before.items), in which "
                + "\(escaped(shrunk.condition)) fails still: \(shrunk.file).\n"
        }
        for divergence in result.divergences {
            text += "\nSeed \(divergence.seed) did not do the same twice: \(escaped(divergence.parting)).\n"
        }
        if let folder { text += "\nFolder: \(escaped(folder))\n" }
        return text
    }

    private static func escaped(_ text: String) -> String { MarkdownReport.escaped(PlainText.printable(text)) }

    // MARK: Words

    private static func word(_ result: SeedCampaignResult) -> (String, Style) {
        if !result.divergences.isEmpty { return ("DIVERGED", .bad) }
        if result.interrupted { return ("INTERRUPTED", .doubtful) }
        if result.failed > 0 { return ("FAILED", .bad) }
        return result.exitCode == 0 ? ("PASSED", .good) : ("INCONCLUSIVE", .doubtful)
    }

    private static func sentence(_ result: SeedCampaignResult) -> String {
        let done = Figures.grouped(result.done)
        let seeds = "seeds \(result.firstSeed) to \(result.lastSeed)"
        let deliveries = "\(Figures.grouped(result.deliveries)) simulated deliveries"
        let undecided = result.undecided
        if result.failed == 0, undecided == 0 { return "all \(done) of \(seeds) passed; \(deliveries)" }
        if result.failed == 0 {
            return
                "\(Figures.grouped(result.done - undecided)) of \(done) passed and \(Figures.grouped(undecided)) show "
                + "nothing either way, of \(seeds); \(deliveries)"
        }
        let kinds = result.byVerdict.sorted { $0.key < $1.key }.filter { $0.key != RunResult.Verdict.passed.rawValue }
            .map { "\($0.key) \(Figures.grouped($0.value))" }.joined(separator: ", ")
        return "\(Figures.grouped(result.failed)) of \(done) failed (\(kinds)) of \(seeds); \(deliveries)"
    }

    private static func head(_ result: SeedCampaignResult, width: Int) -> [Line] {
        let (word, style) = word(result)
        let text = PlainText.printable("\(result.name): \(sentence(result))")
        var lines = PlainText.wrap(text, width: width - word.count - 2).enumerated().map { index, text in
            Line(text: index == 0 ? "\(word)  \(text)" : PlainText.left("", word.count + 2) + text)
        }
        lines[0].marks = [word: style]
        return lines
    }

    private static func failure(
        _ failure: SeedCampaignResult.Failure, _ result: SeedCampaignResult, width: Int
    ) -> [Line] {
        let text = PlainText.printable("seed \(failure.seed)  \(failure.verdict.rawValue): \(failure.reason)")
        return [
            Line(text: PlainText.cut(text, to: width), marks: [failure.verdict.rawValue: .bad]),
            Line(text: "    " + PlainText.printable(replay(failure, result))),
        ]
    }

    private static func replay(_ failure: SeedCampaignResult.Failure, _ result: SeedCampaignResult) -> String {
        "\(result.command) --seed \(failure.seed)"
    }

    /// What failing seeds became, and the command that runs each.
    private static func shrunken(_ result: SeedCampaignResult, folder: String?, width: Int) -> [Line] {
        (result.shrunken ?? []).flatMap { shrunk in
            let (before, size) = (shrunk.before, shrunk.size)
            let text =
                "seed \(shrunk.seed) became \(size.items) plan items of \(before.items), \(Figures.grouped(size.messages)) "
                + "messages of \(Figures.grouped(before.messages)); \(shrunk.condition) fails still"
                + (shrunk.isMinimal ? "" : " (the trials were used up)")
            let path = folder.map { "\($0)/\(shrunk.file)" } ?? shrunk.file
            return TextReport.entries("Shrunk", PlainText.printable(text), width: width) + [
                Line(text: "    wsmlab simulate " + PlainText.printable(ShellWord.quoted(path)))
            ]
        }
    }

    private static func probes(_ result: SeedCampaignResult, width: Int) -> [Line] {
        guard !result.probes.isEmpty else { return [] }
        let reached = result.probes.filter { $0.value > 0 }.sorted { ($0.value, $0.key) > ($1.value, $1.key) }
        let missed = result.probes.filter { $0.value == 0 }.keys.sorted()
        let text = reached.map { "\($0.key) (\(Figures.grouped($0.value)))" }.joined(separator: ", ")
        return TextReport.entries("Came by", text.isEmpty ? "nothing rare" : text, width: width)
            + (missed.isEmpty ? [] : TextReport.entries("Never", missed.joined(separator: ", "), width: width))
    }

    private static func twice(_ result: SeedCampaignResult, width: Int) -> [Line] {
        guard result.repeated > 0 else { return [] }
        let same = result.repeated - result.divergences.count
        let text =
            "\(Figures.grouped(same)) of \(Figures.grouped(result.repeated)) seeds that ran twice did the same to "
            + "the last step"
        return TextReport.entries("Repeated", text, width: width)
            + result.divergences.prefix(10).flatMap {
                TextReport.entries("", "seed \($0.seed): \($0.parting)", width: width)
            }
    }
}
