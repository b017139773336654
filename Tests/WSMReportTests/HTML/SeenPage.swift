import Foundation
import Testing
import WSMTestSupport

/// What headless Chromium made of a page, told by `scripts/readers/browser.py`.
struct SeenPage: Decodable {
    /// The text of every element with an id; `nil` of a hidden one.
    var texts: [String: String?]
    /// Its markup, as it is when the script has run.
    var html: String
    var title: String
    /// Warnings and errors.
    var console: [String]
    /// By how many pixels the page would scroll sideways, by its width, and printed.
    var overflow: [String: Int]
    /// The texts whose contrast is too low, by colour scheme, and printed.
    var faint: [String: [String]]

    static let noOverflow = ["320": 0, "390": 0, "1200": 0, "print": 0]
    static let noneFaint: [String: [String]] = ["light": [], "dark": [], "print": []]

    func text(_ id: String) -> String? { texts[id] ?? nil }

    /// Opens `url`, and looks once `expression` is true in it.
    static func open(
        _ url: String, until expression: String, _ location: SourceLocation = #_sourceLocation
    ) async throws -> SeenPage {
        let answer = try await IndependentReader.python("browser.py", [url, expression])
        try #require(
            answer.exitCode == 0,
            "\(answer.errors.suffix(1500)); a script that does not run needs its hash in the page's policy",
            sourceLocation: location)
        return try JSONDecoder().decode(SeenPage.self, from: Data(answer.output.utf8))
    }

    /// Opens a page of its own, and looks once it is there.
    static func open(
        markup: String, until expression: String = "document.readyState === 'complete'",
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> SeenPage {
        let path = NSTemporaryDirectory() + "wsmlab-page-\(UUID().uuidString).html"
        try Data(markup.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await open("file://\(path)", until: expression, location)
    }
}
