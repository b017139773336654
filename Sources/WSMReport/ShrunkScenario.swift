package import WSMHarness
internal import WSMScenario

/// The scenario file that a failing seed became: what fails in it, drawn, and the scenario itself.
package enum ShrunkScenario {
    private static let width = 110

    /// The file's text: comments, then the scenario with every default written out.
    ///
    /// - Parameter replay: What runs it, but for the file's name.
    package static func text(_ shrunk: ShrunkSeed, replay: String = "wsmlab simulate") -> String {
        let result = shrunk.result
        var lines = [
            "Seed \(shrunk.seed), as small as it could be made: \(result.reason).",
            "\(words(shrunk.size)); before: \(words(shrunk.before)).",
            "\(shrunk.trials) scenarios were tried; "
                + (shrunk.isMinimal ? "nothing can be taken from this one any more." : "then the trials were used up."),
            "Run it: \(replay) and this file. It gives the traceHash \(result.traceHash ?? "-") each time.",
        ]
        var drawing: [String] = []
        if let guarantee = result.guarantees.first(where: { $0.id == shrunk.kind.condition }) {
            let witness = guarantee.witness.map { ": \($0)" } ?? ""
            lines += ["", "\(guarantee.id), \(guarantee.violations) violations\(witness)"]
            drawing = SpaceTimeText.lines(
                guarantee.witnessEvents ?? [], faults: result.faults, measuredFrom: result.setup.warmupNanoseconds)
        }
        var comments = lines.flatMap { line in
            line.isEmpty ? [""] : PlainText.wrap(PlainText.printable(line), width: width)
        }
        // A line of a drawing is never wrapped: it would tear the lines of life.
        if !drawing.isEmpty { comments += [""] + drawing }
        return comments.map { $0.isEmpty ? "#\n" : "# \($0)\n" }.joined() + shrunk.scenario.yaml()
    }

    private static func words(_ size: PlanSize) -> String {
        let parts = [
            (size.faults, "fault"), (size.instances, "instance"), (size.clients, "client"),
            (size.publishers, "publisher"), (size.streams, "stream"),
        ]
        let counts = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
        let seconds = Figures.decimal(Double(size.loadNanoseconds) / 1e9, places: 2)
        return "\(size.items) plan items (\(counts.joined(separator: ", "))), "
            + "\(Figures.grouped(size.messages)) messages in \(seconds) s"
    }
}
