import ArgumentParser
import WSMHarness
import WSMRedis
import WSMScenario

/// What goes to stdout.
enum ResultFormat: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
    case markdown
}

/// One `--set KEY=VALUE`.
struct Override: Sendable {
    var key: String
    var value: String

    /// Splits at the first equals sign, so that a value may hold more of them.
    static func parse(_ text: String) throws -> Override {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw ValidationError("--set needs KEY=VALUE, for example --set clients.count=500")
        }
        return Override(key: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }
}

/// The flags that change a scenario.
///
/// Flags beat the file.
struct ScenarioFlags: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Set a scenario key, as if the file had it; may be repeated.",
            discussion: "A dotted key: --set cluster.manager=memory --set 'workload[0].rate=50/s'",
            valueName: "key=value"),
        completion: .custom(KeyCompletion.keys), transform: Override.parse)
    var overrides: [Override] = []

    @Option(help: "The seed that the load is drawn from: the same seed, the same load.")
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "Use the Redis at this URL in place of the scenario's.",
            discussion: "redis://[user:password@]host:port[/database] or unix:///path", valueName: "url"))
    var redis: String?

    func validate() throws {
        if let redis { try ScenarioFlags.checkRedisURL(redis) }
    }

    /// Refuses what is no URL of a Redis.
    ///
    /// The message hides a password.
    static func checkRedisURL(_ text: String) throws {
        do {
            _ = try RedisURL(text)
        } catch {
            throw ValidationError("--redis: \(error)")
        }
    }

    /// All changes in the order in which they apply: `--seed` and `--redis` after the `--set` ones.
    var changes: [(String, String)] {
        var changes = overrides.map { ($0.key, $0.value) }
        if let seed { changes.append(("seed", "\(seed)")) }
        if let redis { changes.append(("cluster.redis", "{url: \(ScenarioFlags.quoted(redis))}")) }
        return changes
    }

    /// Reads a scenario with the flags put in.
    ///
    /// Tells all faults on stderr; with an error among them it ends with 65.
    func load(_ path: String) throws -> Scenario {
        let loaded = ScenarioFile.load(path: path, overrides: changes)
        for diagnostic in loaded.diagnostics { Output.errors.write("\(diagnostic)\n") }
        guard let scenario = loaded.scenario else { throw Failure.code(.invalidData) }
        return scenario
    }

    /// `text` as a double-quoted YAML scalar.
    private static func quoted(_ text: String) -> String {
        let escaped = text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "\"\(String(escaped))\""
    }
}

/// The flags that say what becomes of a result.
struct ResultFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the run folder here, instead of Results/runs/<name>-<time>.", valueName: "dir"),
        completion: .directory)
    var out: String?

    @Option(help: "What goes to stdout.")
    var format: ResultFormat = .text

    @Flag(help: "Show no progress.")
    var quiet = false

    /// Writes a result to stdout in the format that was asked for.
    ///
    /// - Parameters:
    ///   - text: For people, for a terminal of so many columns, with colours or without.
    ///   - json: The document.
    ///   - markdown: For a summary in a browser.
    func write(text: (_ width: Int, _ color: Bool) -> String, json: () throws -> String, markdown: () -> String) throws
    {
        let output = Output.standard
        switch format {
        case .text: output.write(text(output.width, output.usesColor))
        case .json: output.write(try json())
        case .markdown: output.write(markdown())
        }
        output.flush()
    }
}
