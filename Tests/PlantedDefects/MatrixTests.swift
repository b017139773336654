import Foundation
import Testing
import WSMVerify

@Suite("The matrix of planted defects", .timeLimit(.minutes(5)))
struct MatrixTests {
    private static let page = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/planted-defects.md")

    private func matrix() async throws -> String {
        var matrix = Matrix()
        for twin in Twin.all { matrix.add(twin, try await Trials.shared.of(twin)) }
        return matrix.markdown
    }

    /// `WSMLAB_DEFECTS_REPORT` names a file for the tables, which `make defects` prints.
    @Test("docs/planted-defects.md holds the tables that this build makes (make defects-update writes them)")
    func page() async throws {
        let tables = try await matrix()
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["WSMLAB_DEFECTS_REPORT"] {
            try Data(tables.utf8).write(to: URL(fileURLWithPath: path))
        }
        // Then the page is about to be written anew.
        if environment["WSMLAB_DEFECTS_UPDATE"] != nil { return }
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        let parts = page.split(separator: "<!-- tables -->\n", omittingEmptySubsequences: false)
        try #require(parts.count == 3, "the page has two marks, around its tables")
        let kept = parts[1].split(separator: "\n")
        let made = tables.split(separator: "\n")
        #expect(made.filter { !kept.contains($0) } == [], "these lines are not on the page")
        #expect(kept.filter { !made.contains($0) } == [], "these lines are on the page only")
        #expect(kept.count == made.count)
    }

    @Test("Every checker is proven by a defect that it finds")
    func everyChecker() async throws {
        var proven: Set<String> = []
        for twin in Twin.all {
            for trial in try await Trials.shared.of(twin) where trial.planted > 0 {
                proven.formUnion(trial.found.violations.keys)
            }
        }
        for id in GuaranteeID.allCases { #expect(proven.contains(id.rawValue), "\(id.rawValue)") }
    }

    @Test("A twin without a defect violates nothing, and one with a defect says how many there are")
    func cleanTwins() async throws {
        for twin in Twin.all {
            for trial in try await Trials.shared.of(twin) {
                let isClean = twin.name.contains("none: ")
                #expect(isClean == (trial.planted == 0), "\(twin.id)")
                if isClean { #expect(trial.found.violations.isEmpty, "\(twin.id)") }
            }
        }
    }
}
