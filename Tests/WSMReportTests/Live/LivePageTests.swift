import Foundation
import Testing
import WSMCore
import WSMTestSupport

@testable import WSMHarness
@testable import WSMReport

@Suite("The live page in a browser", .serialized, .timeLimit(.minutes(5)))
struct LivePageTests {
    private struct Parsed: Decodable {
        var faults: [String]
        var headings: [String]
    }

    private let start = MonotonicInstant(nanoseconds: 0)

    private func feed(_ progress: RunProgress) -> LiveFeed {
        var feed = LiveFeed(name: progress.name, now: start)
        for second in Int64(0)..<40 {
            var earlier = RunProgress(name: progress.name, phase: .measuring, receivedPerSecond: Double(second * 100))
            earlier.recentP50 = .milliseconds(second + 1)
            earlier.recentP99 = .milliseconds(second * second + 2)
            _ = feed.note(earlier, now: start + .seconds(second))
        }
        _ = feed.note(progress, now: start + .seconds(41))
        return feed
    }

    private func serve(_ feed: LiveFeed) async throws -> LiveServer {
        try await LiveServer.start(
            port: 0, content: .init(page: LivePage.text, script: LivePage.script, greeting: { feed.greeting }))
    }

    /// Opens the page until `expression` is true, while `meanwhile` goes on once the page is a viewer.
    private func look(
        _ server: LiveServer, until expression: String, meanwhile: (LiveServer) async -> Void = { _ in }
    ) async throws -> SeenPage {
        let address = server.address
        let looking = Task { try await SeenPage.open(address, until: expression) }
        let deadline = MonotonicInstant.now() + .seconds(60)
        while await server.load().viewers == 0, .now() < deadline { try await Task.sleep(for: .milliseconds(10)) }
        await meanwhile(server)
        let seen = await looking.result
        await server.finish(last: nil, deadline: .milliseconds(100))
        return try seen.get()
    }

    @Test("The page is well-formed, refers to nothing outside of itself, and never writes markup from data")
    func form() async throws {
        let parsed = try await Reading.python("html_page.py", LivePage.text, as: Parsed.self)
        #expect(parsed.faults.isEmpty, "\(parsed.faults)")
        #expect(parsed.headings.first == "h1")
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "toLocale", "https://"] {
            #expect(!LivePage.text.contains(word), "\(word)")
        }
    }

    @Test(
        "A running run is shown with all its parts, hostile names as text, on a phone too, and nothing is complained of"
    )
    func running() async throws {
        let name = "<img src=x onerror=alert(1)></script><i>"
        let feed = feed(LiveScreenTests.busy(name: name, failure: "<svg onload=alert(2)>"))
        let server = try await serve(feed)
        let seen = try await look(
            server, until: "document.querySelector('#latency-chart .c1').getAttribute('d').length > 100")
        #expect(seen.console.isEmpty, "\(seen.console)")
        #expect(seen.overflow == SeenPage.noOverflow)
        #expect(seen.faint == SeenPage.noneFaint)
        #expect(seen.text("name") == name && seen.title == "measuring · \(name) · wsmlab")
        #expect(seen.text("word") == "measuring" && seen.text("clock") == "6 s left of 10 s")
        #expect(seen.text("clients") == "1,180" && seen.text("clients-note") == "of 1,200")
        #expect(seen.text("delivered") == "118k/s" && seen.text("delivered-note") == "600,000 so far")
        #expect(seen.text("published") == "100/s")
        #expect(seen.text("p50") == "2.00 ms" && seen.text("p50-note") == "1.00 ms so far")
        #expect(seen.text("p99") == "30.0 ms" && seen.text("p99-note") == "9.00 ms so far")
        #expect(seen.text("stages") == "worker2.00 mswire20.0 µs")
        #expect(seen.text("instances") == "0 up1 down2 up, broadcast thread dead")
        #expect(seen.text("faults")?.contains("redis.restart at 2.00 s, <svg onload=alert(2)>") == true)
        #expect(seen.text("faults-next") == "Next: clients.disconnect in 5 s")
        #expect(seen.text("signs") == "1 publish failed2 slow clients cut off")
        #expect(seen.text("stored") == nil && seen.text("link")?.hasPrefix("Connected") == true)
        #expect(!seen.html.contains("<img") && !seen.html.contains("<svg onload") && !seen.html.contains("<i>"))
        #expect(seen.html.contains("aria-live=\"polite\""))
    }

    @Test("When the run ends the page says the verdict, why, and where the result is, and asks no more")
    func end() async throws {
        let feed = feed(LiveScreenTests.busy())
        let server = try await serve(feed)
        var result = SampleRun.passed()
        result.reason = "every <expected> delivery arrived"
        let last = feed.end(RunOutcome(result: result, folder: "Results/<i>runs"))
        let seen = try await look(server, until: "!document.getElementById('stored').hidden") { server in
            await server.finish(last: last, deadline: .seconds(5))
        }
        #expect(seen.console.isEmpty, "\(seen.console)")
        #expect(seen.overflow == SeenPage.noOverflow)
        #expect(seen.faint == SeenPage.noneFaint)
        #expect(seen.text("verdict") == "✓ PASSED every <expected> delivery arrived")
        #expect(seen.text("stored")?.hasPrefix("Stored in Results/<i>runs. Exit code 0.") == true)
        #expect(seen.title.hasPrefix("PASSED · ") && seen.text("going") == nil)
        #expect(seen.text("link") == "The run is over: nothing more will come.")
        #expect(seen.text("now-heading") == "When it ended")
    }

    @Test("A connection that is lost is said plainly, after a few tries for good")
    func lost() async throws {
        let server = try await serve(feed(LiveScreenTests.busy()))
        let seen = try await look(
            server, until: "document.getElementById('link').textContent.startsWith('Not connected; load')"
        ) { server in
            await server.finish(last: nil, deadline: .seconds(5))
        }
        #expect(seen.text("reason")?.hasPrefix("The run has ended or cannot be reached.") == true)
        #expect(seen.text("clients") == "1,180")
        // Each try in vain is a line of the browser's own: the first connection and four more.
        #expect(seen.console.count <= 4, "\(seen.console)")
    }
}
