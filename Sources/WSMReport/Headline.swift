import WSMHarness

/// A run's answer in one word and one sentence, the same in every report.
struct Headline {
    var word: String
    var style: Style
    var sentence: String

    init(_ result: RunResult) {
        switch result.verdict {
        case _ where result.interrupted: (word, style) = ("INTERRUPTED", .doubtful)
        case .passed: (word, style) = ("PASSED", .good)
        case .threshold, .guarantee: (word, style) = ("FAILED", .bad)
        case .inconclusive where result.validity.verdict == .invalid: (word, style) = ("INVALID", .bad)
        case .inconclusive: (word, style) = ("INCONCLUSIVE", .doubtful)
        }
        sentence = PlainText.printable("\(result.name): \(result.reason)")
    }

    /// What ran, in one line.
    static func setup(of result: RunResult) -> String {
        let setup = result.setup
        var parts: [String] = []
        if setup.manager == "target" {
            parts.append(setup.instances == 1 ? "target with 1 URL" : "target with \(setup.instances) URLs")
        } else if setup.instances > 0 {
            let noun = setup.instances == 1 ? "instance" : "instances"
            parts.append("\(setup.instances) \(noun) \(setup.placement)")
        }
        if !setup.manager.isEmpty, setup.manager != "target" {
            parts.append(setup.profile.isEmpty ? setup.manager : "\(setup.manager) manager (\(setup.profile))")
        }
        if result.clients.planned > 0 {
            parts.append("\(Figures.grouped(result.clients.planned)) clients \(setup.transport)")
        }
        parts.append("\(Figures.time(result.durationNanoseconds)) measured")
        parts.append("seed \(result.seed)")
        return PlainText.printable(parts.joined(separator: ", "))
    }
}
