import ArgumentParser
import WSMHarness
import WSMReport

/// `wsmlab list`: the stored runs.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the stored runs, the newest first.",
        discussion: """
            A line a run: when it began, its verdict, the deliveries that arrived and that were lost, the 99th percentile \
            of the latency, and its folder. A folder without a result that can be read is listed as DAMAGED; \
            those of compare, capacity and gate by that name.

            Examples:
              wsmlab list
              wsmlab list --format json | jq -r '.runs[] | select(.verdict == "guarantee").folder'
              wsmlab report $(wsmlab list --format json | jq -r '.runs[:3][].folder') --csv -
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case json
    }

    @Argument(help: ArgumentHelp("The folder of the runs.", valueName: "dir"), completion: .directory)
    var folder = StoredRuns.standardFolder

    @Option(help: "What goes to stdout.")
    var format: Format = .text

    @Option(help: "How many runs the table has at most; JSON has all.")
    var limit = 30

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
    }

    func run() throws {
        let entries = try StoredRuns.list(folder)
        let output = Output.standard
        switch format {
        case .text: output.write(RunListReport.text(entries, limit: limit, color: output.usesColor))
        case .json: output.write(try RunListReport.json(entries))
        }
        output.flush()
    }
}
