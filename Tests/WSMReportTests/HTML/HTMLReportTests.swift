import Foundation
import Testing
import WSMHarness
import WSMReport
import WSMTestSupport

@Suite("The report as a page", .timeLimit(.minutes(5)))
struct HTMLReportTests {
    private struct Parsed: Decodable {
        var faults: [String]
        var tags: [String: Int]
        var headings: [String]
        var ids: [String]
    }

    /// What a browser made of a page.
    private func opened(_ page: String, width: Int = 1200) async throws -> (dom: String, console: [Substring]) {
        let path = NSTemporaryDirectory() + "wsmlab-page-\(UUID().uuidString).html"
        try Data(page.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let answer = try await IndependentReader.chromium([
            "--enable-logging=stderr", "--window-size=\(width),844", "--virtual-time-budget=3000", "--dump-dom",
            "file://\(path)",
        ])
        try #require(answer.exitCode == 0, "\(answer.errors.suffix(1000))")
        return (answer.output, answer.errors.split(separator: "\n").filter { $0.contains("CONSOLE") })
    }

    private static let pages: [(String, String)] =
        SampleRun.all.enumerated().map { ("run \($0.offset)", HTMLReport.text(PageSample.records($0.element))) }
        + [
            ("eventful", HTMLReport.text(PageSample.records(PageSample.eventful()))),
            ("bare", HTMLReport.text(RunRecords(result: SampleRun.passed()))),
        ]

    @Test("Every page is well-formed, refers to nothing outside of itself, and has its headings in order")
    func form() async throws {
        for (name, page) in Self.pages {
            let parsed = try await Reading.python("html_page.py", page, as: Parsed.self)
            #expect(parsed.faults.isEmpty, "\(name): \(parsed.faults.prefix(5))")
            #expect(parsed.headings.first == "h1" && parsed.headings.count { $0 == "h1" } == 1)
            #expect(parsed.tags["script"] == 1 && parsed.tags["img"] == nil, "\(name)")
            #expect(parsed.tags["main"] == 1 && parsed.tags["nav"] == 1)
            #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("@import"))
            #expect(page.utf8.count < 1_500_000, "\(name): \(page.utf8.count)")
            for character in ["\u{202e}", "\u{1b}", "\u{0}", "\u{7}"] { #expect(!page.contains(character), "\(name)") }
        }
    }

    @Test("Chromium shows every chart, runs the script, and complains of nothing")
    func browser() async throws {
        let (dom, console) = try await opened(HTMLReport.text(PageSample.records(PageSample.eventful())))
        #expect(console.isEmpty, "\(console)")
        for id in ["percentiles", "heatmap", "throughput", "waterfall", "witness-1", "verdict", "repeat"] {
            #expect(dom.contains("id=\"\(id)\""), "\(id)")
        }
        #expect(dom.contains("class=\"js\""), "the script did not run: is its hash in the page's policy?")
        #expect(dom.contains("redis.restart") && dom.contains("3:41 never came"))
        #expect(dom.contains("wsmlab run 'Results/runs/it'\\''s one/scenario.yaml'"))
    }

    @Test("Names that mean harm stay text")
    func hostile() async throws {
        var result = SampleRun.hostile()
        let name = "</script><img src=x onerror=alert(1)>\"'<svg onload=alert(2)>"
        result.name = name
        let (dom, console) = try await opened(HTMLReport.text(PageSample.records(result)))
        #expect(console.isEmpty, "\(console)")
        #expect(!dom.contains("<img") && !dom.contains("<svg onload"))
        #expect(dom.contains("&lt;img src=x onerror=alert(1)&gt;"))
    }

    @Test("A phone never scrolls the page sideways", arguments: [390, 1200])
    func overflow(width: Int) async throws {
        // The page under test in a frame as wide as a phone, since a headless window is never that narrow.
        let page = HTMLReport.text(PageSample.records(PageSample.eventful()))
        let inner = page.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
        let probe =
            "<!DOCTYPE html><iframe id=f width=\(width) height=844 srcdoc=\"\(inner)\"></iframe><p id=out></p><script>"
            + "f.onload=function(){var d=f.contentDocument.documentElement;"
            + "out.textContent='overflow '+(d.scrollWidth-d.clientWidth)+' of '+d.clientWidth}</script>"
        let (dom, _) = try await opened(probe, width: max(1200, width + 100))
        #expect(dom.contains("overflow 0 of "), "\(dom.suffix(200))")
    }

    @Test("What an older run folder lacks is said in place of its chart")
    func absent() {
        var records = PageSample.records()
        records.heatmap = nil
        records.absent["heatmap.csv"] = "is not in the run folder: an older wsmlab did not write it"
        let page = HTMLReport.text(records)
        #expect(page.contains("This chart is not here: heatmap.csv is not in the run folder"))
        #expect(!page.contains("id=\"heatmap\""))
    }

    @Test("A comparison and a capacity have pages of their own")
    func experiments() async throws {
        var compare = CompareResult(
            name: "<b>x", startedAt: "2026-01-01T00:00:00Z", rounds: 3,
            variants: ["memory", "broadcast"].map {
                .init(name: $0, results: [SampleRun.passed()], folders: ["runs/\($0)"])
            }, environment: SampleRun.passed().environment)
        let ratio = CompareResult.Ratio(a: "memory", b: "broadcast", ratio: 2, low: 1.5, high: 2.5, verdict: .worse)
        compare.metrics = [.init(path: "latency.p99", medians: ["memory": 1e6, "broadcast": 2e6], ratios: [ratio])]
        var capacity = CapacityResult(
            name: "<b>y", startedAt: "2026-01-01T00:00:00Z", vary: .clients, limit: "latency.p99 < 100ms",
            tolerance: 0.1,
            repeats: 3, environment: SampleRun.passed().environment)
        capacity.points = [100.0, 200].map { load in
            CapacityPoint(
                load: load, outcome: load < 150 ? .carried : .missed,
                runs: [
                    .init(
                        folder: "a", outcome: .carried, publishedPerSecond: 1, deliveriesPerSecond: load * 10,
                        p50: 1_000_000,
                        p99: 9_000_000, lost: 0, cpu: 0.5)
                ])
        }
        capacity.bracket = .init(carried: 100, missed: 200)
        let records = ["memory": PageSample.records(), "broadcast": PageSample.records()]
        for (page, ids) in [
            (HTMLReport.text(compare, records: records), ["forest", "percentiles"]),
            (HTMLReport.text(capacity), ["load"]),
        ] {
            let parsed = try await Reading.python("html_page.py", page, as: Parsed.self)
            #expect(parsed.faults.isEmpty, "\(parsed.faults.prefix(5))")
            let (dom, console) = try await opened(page)
            #expect(console.isEmpty, "\(console)")
            for id in ids { #expect(dom.contains("id=\"\(id)\""), "\(id)") }
        }
    }
}
