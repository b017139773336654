import ArgumentParser
import WSMHarness

/// `wsmlab child`: a process of a run, which the run starts; for nobody else.
struct ChildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "child", abstract: "Be a process of a run. Started by wsmlab run, never by hand.",
        shouldDisplay: false)

    func run() async throws { await ChildProgram.run() }
}
