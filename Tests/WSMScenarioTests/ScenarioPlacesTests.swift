import Foundation
import Testing

@testable import WSMScenario

@Suite("Where the expectations of a scenario stand")
struct ScenarioPlacesTests {
    private let text = """
        # a comment
        name: places
        duration: 5s
        cluster: {}
        expect:
          guarantees: {completeness: holds, "no-gap": any}
          thresholds:
            - latency.p99<50ms
            - "delivery.lost == 0"
            - no threshold
        """

    private func place(_ line: Int, _ column: Int) -> ScenarioPlaces.Place {
        ScenarioPlaces.Place(line: line, column: column)
    }

    @Test("A threshold has its own line, however it is spaced and quoted")
    func thresholds() throws {
        let places = try #require(ScenarioPlaces.parse(text: text, file: "s.yaml"))
        #expect(places.threshold("latency.p99 < 50ms") == place(8, 7))
        #expect(places.threshold("delivery.lost == 0") == place(9, 7))
        #expect(places.threshold("delivery.lost == 1") == place(5, 1), "a flag's own: where expect begins")
    }

    @Test("A guarantee has the line of its key, and one without an expectation that of expect")
    func guarantees() throws {
        let places = try #require(ScenarioPlaces.parse(text: text, file: "s.yaml"))
        #expect(places.guarantee("completeness") == place(6, 16))
        #expect(places.guarantee("no-gap") == place(6, 37))
        #expect(places.guarantee("integrity") == place(5, 1))
        #expect(places.start == place(2, 1))
    }

    @Test("Without expectations all point at the name, or at the first line")
    func fallback() throws {
        let named = try #require(ScenarioPlaces.parse(text: "duration: 5s\nname: a", file: "s.yaml"))
        #expect(named.threshold("latency.p99 < 50ms") == place(2, 1))
        let nameless = try #require(ScenarioPlaces.parse(text: "duration: 5s\nexpect: nothing", file: "s.yaml"))
        #expect(nameless.start == place(1, 1))
        #expect(nameless.guarantee("integrity") == place(2, 1))
    }

    @Test("What is no scenario has no places", arguments: ["", "- a", "a: [", "plain"])
    func damaged(_ text: String) {
        #expect(ScenarioPlaces.parse(text: text, file: "s.yaml") == nil)
        #expect(ScenarioPlaces.read(path: "/no/such/file.yaml") == nil)
    }

    @Test(
        "Every threshold of the repository's scenarios is found at a line that holds it", arguments: repositoryScenarios
    )
    func repository(_ name: String) throws {
        let path = "\(scenariosFolder)/\(name).yaml"
        let scenario = try #require(ScenarioFile.load(path: path).scenario)
        let places = try #require(ScenarioPlaces.read(path: path))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        for threshold in scenario.expect.thresholds {
            #expect(lines[places.threshold(threshold.expression).line - 1].contains(threshold.path))
        }
    }
}
