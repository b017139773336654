import Testing

@testable import WSMScenario

@Suite("Scenarios to begin with")
struct ScenarioTemplateTests {
    @Test("Each is valid, draws no warning, and explains itself", arguments: ScenarioTemplate.allCases)
    func valid(_ template: ScenarioTemplate) throws {
        let text = template.text(name: "my-own")
        #expect(faults(text) == [])
        let scenario = try scenario(text)
        #expect(scenario.name == "my-own")
        #expect(!scenario.expect.thresholds.isEmpty && !scenario.workload.isEmpty)
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count { $0.contains("#") } >= 10)
        #expect(lines.allSatisfy { $0.count <= 120 && $0.last != " " })
    }

    @Test("What they have in comments is valid, too", arguments: ScenarioTemplate.allCases)
    func comments(_ template: ScenarioTemplate) throws {
        let lines = template.text(name: "a").split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.hasPrefix("  ") && line.contains("# ") {
            let bare = line.drop { $0 == " " }
            guard bare.hasPrefix("# ") else { continue }
            var changed = lines
            changed[index] = line.replacing("# ", with: "", maxReplacements: 1)
            #expect(faults(changed.joined(separator: "\n")) == [], "\(line)")
        }
    }

    @Test("A name that no scenario may have is known", arguments: ["", "a b", "a/b", "ä\u{7}", "a:b"])
    func names(_ name: String) {
        #expect(!ScenarioTemplate.isName(name))
        #expect(ScenarioTemplate.isName("my-cluster_2"))
    }
}
