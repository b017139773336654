import Foundation
import Testing
import WSMHarness
import WSMTestSupport

@Suite("docs/ci.md", .timeLimit(.minutes(5)))
struct CIDocumentTests {
    private static let text = try? String(contentsOfFile: "\(IndependentReader.root)/docs/ci.md", encoding: .utf8)

    /// The first YAML block below a heading.
    private func block(_ heading: String) throws -> String {
        let text = try #require(Self.text)
        let section = try #require(text.components(separatedBy: "\n## \(heading)\n").dropFirst().first)
        let block = try #require(section.components(separatedBy: "```yaml\n").dropFirst().first)
        return try #require(block.components(separatedBy: "```").first)
    }

    @Test(
        "Its workflows are valid for the schemas of GitHub and GitLab",
        arguments: [
            ("GitHub Actions", ["vendor.github-workflows"]),
            ("GitHub Actions", ["custom.github-workflows-require-timeout"]),
            ("GitLab CI", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        ])
    func workflows(_ heading: String, _ schema: [String]) async throws {
        let path = NSTemporaryDirectory() + "wsmlab-ci-\(UUID().uuidString).yml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(try block(heading).utf8).write(to: URL(fileURLWithPath: path))
        let words = ["--builtin-schema"] + schema + [path]
        let answer = try await IndependentReader.command("check-jsonschema", words)
        #expect(answer.exitCode == 0, "\(answer.output)\(answer.errors)")
        try Data("jobs: {a: {steps: 1}}\nstages: 7\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try await IndependentReader.command("check-jsonschema", words).exitCode == 1)
    }

    @Test("It says of every exit code what it means for a pipeline")
    func exitCodes() throws {
        let text = try #require(Self.text)
        for code in ExitCode.allCases { #expect(text.contains("\n| \(code.rawValue) | "), "\(code)") }
    }

    @Test("Its scenarios are there")
    func scenarios() throws {
        let text = try #require(Self.text)
        let pattern = #/(?:scenario|SCENARIO): \[(.+)\]/#
        let lists = text.matches(of: pattern).map(\.output.1)
        #expect(lists.count == 2)
        for name in lists.flatMap({ $0.split(separator: ", ") }) {
            #expect(
                FileManager.default.fileExists(atPath: "\(IndependentReader.root)/Scenarios/\(name).yaml"), "\(name)")
        }
    }
}
