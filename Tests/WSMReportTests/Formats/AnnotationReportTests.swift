import Testing
import WSMHarness
import WSMScenario

@testable import WSMReport

@Suite("GitHub annotations")
struct AnnotationReportTests {
    private let scenario = """
        name: sample
        duration: 5s
        cluster: {}
        expect:
          guarantees:
            completeness: holds
          thresholds:
            - "latency.p99   <  50ms"
            - delivery.lost == 0
        """

    /// What the runner of GitHub makes of a command, by its rules: split at the first `::`, then at commas, then unescape.
    private func parse(_ line: Substring) throws -> (level: String, properties: [String: String], message: String) {
        let parts = line.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        try #require(parts.count == 3 && parts[0].isEmpty)
        let head = parts[1].split(separator: " ", maxSplits: 1)
        try #require(head.count == 2)
        var properties: [String: String] = [:]
        for pair in head[1].split(separator: ",") {
            let sides = pair.split(separator: "=", maxSplits: 1)
            try #require(sides.count == 2, "\(pair) is no property")
            properties[String(sides[0])] = unescaped(sides[1])
        }
        return (String(head[0]), properties, unescaped(parts[2]))
    }

    private func unescaped(_ text: Substring) -> String {
        String(text).replacing("%0D", with: "\r").replacing("%0A", with: "\n").replacing("%3A", with: ":")
            .replacing("%2C", with: ",").replacing("%25", with: "%")
    }

    @Test("Each check that did not pass points at its line; the run's failures come first")
    func lines() throws {
        let places = try #require(ScenarioPlaces.parse(text: scenario, file: "Scenarios/a,b: c.yaml"))
        let text = AnnotationReport.text([ReportedRun(SampleRun.failed(), places: places)])
        let commands = try text.split(separator: "\n").map(parse)
        try #require(commands.count == 4)
        #expect(commands.map { $0.properties["line"] } == ["8", "4", "6", "4"])
        #expect(commands[0].properties["col"] == "7")
        #expect(commands.allSatisfy { $0.level == "error" && $0.properties["file"] == "Scenarios/a,b: c.yaml" })
        #expect(commands[0].properties["title"] == "sample: threshold missed")
        #expect(commands[0].message == "latency.p99 < 50ms: the run had 61.0 ms")
        #expect(commands[2].message.contains("client 7 never got 3:41"))
        #expect(commands[3].message == "recovery: unknown: no fault")
    }

    @Test("A run that passed says nothing, one without its scenario has no place")
    func quiet() throws {
        #expect(AnnotationReport.text([ReportedRun(SampleRun.passed())]) == "")
        let command = try parse(Substring(AnnotationReport.text([ReportedRun(SampleRun.invalid())]).dropLast()))
        #expect(command.properties == ["title": "sample: validity"])
        #expect(command.message == "the run is INVALID: the generator was late")
    }

    @Test("Hostile texts make no command of their own")
    func hostile() throws {
        let text = AnnotationReport.text([ReportedRun(SampleRun.hostile())])
        let lines = text.split(separator: "\n")
        #expect(lines.count == 5)
        let printable = PlainText.printable(hostileText)
        for line in lines {
            let command = try parse(line)
            #expect(command.properties["title"]?.hasPrefix(printable) == true)
            #expect(!line.unicodeScalars.contains { $0.value < 32 || $0.value == 127 })
        }
        #expect(try parse(lines[0]).message.contains(printable))
        #expect(try parse(lines[lines.count - 1]).level == "warning")
    }

    @Test("Percent signs, line ends, colons and commas are escaped as GitHub asks")
    func escapes() {
        #expect(AnnotationReport.data("100%\r\n: ,") == "100%25%0D%0A: ,")
        #expect(AnnotationReport.property("a: 1, 2%") == "a%3A 1%2C 2%25")
    }
}
