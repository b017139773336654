package import WSMScenario

/// One side of an experiment: a program, and the scenario that it runs, again and again.
package struct Arm: Sendable {
    /// What tables call it; unique in an experiment, and the beginning of its run folders' names.
    package var name: String
    /// The wsmlab that runs it.
    package var program: String
    package var source: ScenarioSource
    /// What ``source`` comes to, as this program reads it.
    package var scenario: Scenario

    package init(name: String, program: String = ProgramRun.ownProgram, source: ScenarioSource, scenario: Scenario) {
        self.name = name
        self.program = program
        self.source = source
        self.scenario = scenario
    }
}
