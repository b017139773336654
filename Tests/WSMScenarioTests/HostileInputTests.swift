import Testing
import WSMCore

@testable import WSMScenario

@Suite("Input that is no scenario")
struct HostileInputTests {
    @Test(
        "Text that is not YAML, or no map, is one clear error",
        arguments: [
            ("", "the scenario is empty"), ("# nothing\n", "the scenario is empty"), ("---\n", "the scenario is empty"),
            ("- a\n- b\n", "a scenario must be a map, not a list"), ("just words", "a scenario must be a map"),
            ("name: [", "not YAML: "), ("name: test\n\tduration: 5s", "not YAML: "), ("a: b: c", "not YAML: "),
            ("name: *nowhere", "not YAML: found undefined alias"), ("name: a\n---\nname: b\n", "a second document"),
            ("%YAML 9.9\n--- a", "not YAML"), ("{{{{{{{", "not YAML"), ("? [a, b]\n: c", "a key must be a single word"),
            ("name: \"\\q\"", "not YAML"), ("name: 'x", "not YAML"), ("&", "not YAML"), ("!!", "not YAML"),
        ])
    func notYAML(_ text: String, _ message: String) {
        let found = faults(text)
        #expect(found.contains { $0.contains(message) }, "\(found)")
        #expect(found.allSatisfy { $0.hasPrefix("s.yaml:") && $0.contains(": error: ") })
    }

    @Test("Control characters are reported with their place")
    func controlCharacters() {
        let found = faults("name: a\nduration: \u{0}5s\ncluster: {}\u{7f}\n")
        #expect(
            found == [
                "s.yaml:2:11: error: the control character U+0000 must not stand in YAML",
                "s.yaml:3:12: error: the control character U+007F must not stand in YAML",
            ])
    }

    @Test("Bytes that are not UTF-8 are reported with their place")
    func notUTF8() {
        let bytes = Array("name: ä\nseed: ".utf8) + [0xff, 0xfe]
        let loaded = ScenarioFile.parse(bytes: bytes, name: "s.yaml")
        #expect(loaded.scenario == nil)
        #expect(
            loaded.diagnostics.map(\.description) == [
                "s.yaml:2:7: error: this byte is not UTF-8\n  hint: save the file as UTF-8 text"
            ])
    }

    @Test("A byte order mark and Windows line ends change nothing, places included")
    func byteOrderMark() throws {
        let text = scenarioText("clients: {count: 3}")
        let windows = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        let marked = ScenarioFile.parse(bytes: [0xef, 0xbb, 0xbf] + Array(windows.utf8), name: "s.yaml")
        #expect(marked.scenario == (try scenario(text)))
        #expect(faults("\u{feff}nam: x\r\nnam: y\r\nseed: -1\r\n").contains { $0.hasPrefix("s.yaml:3:7: error: seed") })
        #expect(faults("\u{feff}nam: x\r\nnam: y\r\n").contains { $0.hasPrefix("s.yaml:2:1: error: the key \"nam\"") })
        #expect(faults("\u{feff}nam: x\r\n").contains { $0.hasPrefix("s.yaml:1:1: error: unknown key \"nam\"") })
    }

    @Test("Anchors, aliases and tags are harmless")
    func aliases() throws {
        let text = scenarioText(
            """
            workload:
              - &load {kind: broadcasts, rate: &rate 5/s}
              - *load
              - {kind: processes, rate: *rate, steps: !!int 3}
            """)
        let loaded = try scenario(text)
        #expect(loaded.workload.count == 3)
        #expect(loaded.workload[0] == loaded.workload[1])
        #expect(loaded.workload[2].rate.perSecond == 5)
    }

    @Test("Brackets in comments and quotes are not taken for nesting")
    func brackets() {
        let comment = String(repeating: "# [ {\n", count: 100)
        #expect(faults(comment + scenarioText("description: \"\(String(repeating: "[", count: 100))\"")) == [])
        #expect(faults(comment + scenarioText("description: '\(String(repeating: "{", count: 100))'")) == [])
    }

    @Test("Large and deep input ends in an error at once", arguments: Hostile.allCases)
    func bounded(_ hostile: Hostile) {
        let found = ScenarioFile.parse(text: hostile.text).diagnostics
        #expect(!found.isEmpty)
        #expect(found.count <= 1001)
        #expect(found.map(\.description).joined().utf8.count < 1 << 20)
    }

    /// Texts that would take a careless parser's time, memory or stack.
    enum Hostile: String, CaseIterable {
        case tooLarge
        case deepFlow
        case deepBlock
        case manyKeys
        case manyDuplicates
        case manyItems
        case aliasBomb
        case aliasBombInKey
        case longKey
        case longNumber
        case braces
        case deepAndWide
        case manyAliases

        var text: String {
            switch self {
            case .tooLarge: String(repeating: "nonsense ", count: 1_200_000)
            case .deepFlow: "name: " + String(repeating: "[", count: 500_000)
            case .deepBlock: String(repeating: "- ", count: 100_000)
            case .manyKeys: (0..<50_000).map { "key\($0): 1\n" }.joined()
            case .manyDuplicates: String(repeating: "name: 1\n", count: 20_000)
            case .manyItems: "workload: [" + String(repeating: "a,", count: 400_000) + "]"
            case .aliasBomb: Hostile.bomb + "name: *x9\n"
            case .aliasBombInKey: Hostile.bomb + "? *x9\n: 1\n"
            case .longKey: String(repeating: "k", count: 1000) + ": 1\n" + String(repeating: "k", count: 900_000)
            case .longNumber: "duration: " + String(repeating: "9", count: 900_000) + "s"
            case .deepAndWide: "a: " + String(repeating: "[", count: 900) + String(repeating: "b, ", count: 300_000)
            case .manyAliases: "a: &a [1]\nb: [" + String(repeating: "*a, ", count: 200_000) + "]"
            case .braces: String(repeating: "{a: ", count: 200_000)
            }
        }

        private static var bomb: String {
            (0..<10).map { level in
                let items = level == 0 ? "a" : String(repeating: "*x\(level - 1), ", count: 10)
                return "k\(level): &x\(level) [\(items)]\n"
            }.joined()
        }
    }

    @Test(
        "Any cut or changed byte of a good file is answered, never trapped on", arguments: 1...8 as ClosedRange<UInt64>)
    func mutations(_ seed: UInt64) throws {
        let good = Array(try scenario(scenarioText("clients: {count: 3, churn: {rate: 1/s}}")).yaml().utf8)
        var random = CounterRNG(seed: seed, stream: .payload, entity: 1)
        for _ in 0..<60 {
            var bytes = good
            for _ in 0..<(1 + random.below(4)) {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(Array("[]{}:-*&!\"'#,\n\t ?|>%@".utf8)[random.below(21)], at: place)
                }
            }
            let loaded = ScenarioFile.parse(bytes: bytes, name: "s.yaml")
            let hasError = loaded.diagnostics.contains { $0.severity == .error }
            #expect((loaded.scenario == nil) == hasError, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("What is no readable file is an error")
    func files() {
        let folder = ScenarioFile.load(path: scenariosFolder).diagnostics.map(\.description)
        #expect(folder.count == 1)
        #expect(folder.first?.hasPrefix("\(scenariosFolder):1:1: error: this is a directory") == true)
        let missing = ScenarioFile.load(path: "/nowhere/x.yaml").diagnostics.map(\.description)
        #expect(missing == ["/nowhere/x.yaml:1:1: error: there is no such file"])
        let endless = ScenarioFile.load(path: "/dev/zero").diagnostics.map(\.description)
        #expect(endless.count == 1)
        #expect(endless.first?.contains("larger than 1MiB") == true)
    }
}
