import ArgumentParser
import WSMScenario

/// `wsmlab schema`: the scenario format for editors.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the scenario format as JSON Schema, for editors.",
        discussion: """
            An editor with a YAML language server completes and checks a scenario whose first line names the schema:

              # yaml-language-server: $schema=./scenario.schema.json

            Example:
              wsmlab schema > Scenarios/scenario.schema.json
            """)

    func run() throws {
        let schema = ScenarioSchema.json()
        Output.standard.write(schema.hasSuffix("\n") ? schema : schema + "\n")
        Output.standard.flush()
    }
}
