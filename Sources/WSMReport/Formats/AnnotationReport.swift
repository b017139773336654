import WSMScenario

/// GitHub annotations: a workflow command for each check that did not pass, with the scenario's line.
///
/// GitHub's runner reads them from the standard output and the standard error of a step
/// (docs.github.com, "Workflow commands for GitHub Actions"), and shows the first ten errors and the first ten warnings of it:
/// what failed comes before what stayed without proof, of all runs.
package enum AnnotationReport {
    package static func text(_ runs: [ReportedRun]) -> String {
        let commands = zip(ReportedRun.names(of: runs), runs).flatMap { name, run in
            RunCheck.all(of: run.result).compactMap { command($0, name: name, run: run) }
        }
        return commands.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map { $0.element.text + "\n" }.joined()
    }

    private struct Command {
        var rank: Int
        var text: String
    }

    /// The command for a check; `nil` for one that passed without a word, and for what nothing was expected of.
    private static func command(_ check: RunCheck, name: String, run: ReportedRun) -> Command? {
        let (rank, level): (Int, String)
        switch check.outcome {
        case .failed: (rank, level) = (0, "error")
        case .unproven: (rank, level) = (1, "error")
        // Of what passed only a SUSPECT run has something to say.
        case .passed where check.subject == .validity && !check.message.isEmpty: (rank, level) = (2, "warning")
        case .passed, .skipped: return nil
        }
        let title =
            switch check.subject {
            case .threshold: check.outcome == .failed ? "\(name): threshold missed" : "\(name): threshold"
            case .guarantee: "\(name): guarantee \(check.name)"
            case .validity: "\(name): validity"
            case .verdict: "\(name): verdict"
            }
        let message = check.group == "run" ? check.message : "\(check.name): \(check.message)"
        var properties: [String] = []
        if let places = run.places {
            let place = places.place(of: check)
            properties += ["file=\(property(places.file))", "line=\(place.line)", "col=\(place.column)"]
        }
        properties.append("title=\(property(PlainText.printable(title)))")
        return Command(
            rank: rank,
            text: "::\(level) \(properties.joined(separator: ","))::\(data(PlainText.printable(message)))")
    }

    /// A command's message: `%` and line ends are escaped.
    static func data(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": result += "%25"
            case "\r": result += "%0D"
            case "\n": result += "%0A"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A property's value: colons and commas too.
    static func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}
