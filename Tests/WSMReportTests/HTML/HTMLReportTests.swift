import Foundation
import Testing
import WSMHarness
import WSMRecord
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

    /// Nothing complained of, nothing cut off, nothing too faint to be read.
    private func expectSound(_ seen: SeenPage, _ name: String, _ location: SourceLocation = #_sourceLocation) {
        #expect(seen.console.isEmpty, "\(name): \(seen.console)", sourceLocation: location)
        #expect(seen.overflow == SeenPage.noOverflow, "\(name)", sourceLocation: location)
        #expect(seen.faint == SeenPage.noneFaint, "\(name)", sourceLocation: location)
    }

    @Test("Chromium shows every chart, runs the script, and complains of nothing, on a phone, in the dark and on paper")
    func browser() async throws {
        let seen = try await SeenPage.open(markup: HTMLReport.text(PageSample.records(PageSample.eventful())))
        expectSound(seen, "eventful")
        for id in ["percentiles", "heatmap", "throughput", "waterfall", "witness-1", "verdict", "repeat"] {
            #expect(seen.text(id)?.isEmpty == false, "\(id)")
        }
        #expect(seen.html.contains("class=\"js\""), "the script did not run: is its hash in the page's policy?")
        #expect(seen.html.contains("redis.restart") && seen.html.contains("3:41 never came"))
        #expect(seen.html.contains("wsmlab run 'Results/runs/it'\\''s one/scenario.yaml'"))
    }

    @Test("Names that mean harm stay text")
    func hostile() async throws {
        var result = SampleRun.hostile()
        let name = "</script><img src=x onerror=alert(1)>\"'<svg onload=alert(2)>"
        result.name = name
        let seen = try await SeenPage.open(markup: HTMLReport.text(PageSample.records(result)))
        expectSound(seen, "hostile")
        #expect(!seen.html.contains("<img") && !seen.html.contains("<svg onload"))
        #expect(seen.html.contains("&lt;img src=x onerror=alert(1)&gt;"))
    }

    @Test("A text too faint, a table too wide and a script that fails would be found")
    func plantedFaults() async throws {
        let page = """
            <!DOCTYPE html><body style="background:#fff;color:#000"><p id=well>readable</p>
            <p style="color:#999">grey on white</p>
            <p style="background:#222;color:#333;font-size:30px">large and dark</p>
            <p style="opacity:.4">half gone</p><p hidden style="color:#fff">not there</p>
            <svg><text y=20 style="fill:#eee">drawn</text></svg>
            <style>@media print{#well{color:#ccc}}</style>
            <table><td style="min-width:900px">wide</table><script>console.error("lost");null.x</script></body>
            """
        let seen = try await SeenPage.open(markup: page)
        let faint = seen.faint.mapValues { $0.map { String($0.prefix { $0 != ":" }) } }
        let onScreen = ["grey on white", "large and dark", "half gone", "drawn"]
        #expect(faint == ["light": onScreen, "dark": onScreen, "print": ["readable"] + onScreen])
        #expect(seen.overflow["1200"] == 0)
        for width in ["320", "390", "print"] { #expect(try #require(seen.overflow[width]) > 100, "\(width)") }
        #expect(seen.console.count == 2, "\(seen.console)")
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

    @Test(
        "A gate has a page: the verdict and why, each figure against its tolerance and its control, and what was lost")
    func gate() async throws {
        for result in [GateSample.regression(), GateSample.baseline()] {
            let page = HTMLReport.text(result)
            let parsed = try await Reading.python("html_page.py", page, as: Parsed.self)
            #expect(parsed.faults.isEmpty, "\(parsed.faults.prefix(5))")
            let seen = try await SeenPage.open(markup: page)
            expectSound(seen, result.mode.rawValue)
            #expect(seen.text("verdict")?.contains(result.reasons[0]) == true)
            for id in ["forest", "figures", "guarantees"] { #expect(seen.text(id)?.isEmpty == false, "\(id)") }
            #expect(seen.html.contains("class=\"limit\"") && !seen.html.contains("<b>"))
            #expect(seen.html.contains("class=\"ring\"") == (result.mode == .against))
            #expect(seen.text("figures")?.contains("WORSE") == (result.verdict == .regression))
        }
    }

    @Test("The latency of each instance stands beside what it did")
    func instanceLatencies() {
        var result = SampleRun.passed()
        var instance = InstanceResult(index: 0)
        result.instances = [instance]
        #expect(!HTMLReport.text(RunRecords(result: result)).contains(">deliveries</th>"))
        instance.latency = LatencySummary(count: 1234, p50: 2_500_000, p99: 71_000_000)
        result.instances = [instance, InstanceResult(index: 1)]
        let page = HTMLReport.text(RunRecords(result: result))
        #expect(page.contains(">deliveries</th>"))
        #expect(page.contains(">1,234</td><td class=\"n\">2.50 ms</td><td class=\"n\">71.0 ms</td>"))
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
            let seen = try await SeenPage.open(markup: page)
            expectSound(seen, ids[0])
            for id in ids { #expect(seen.text(id)?.isEmpty == false, "\(id)") }
        }
    }
}
