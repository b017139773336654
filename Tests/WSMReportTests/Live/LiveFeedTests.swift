import Foundation
import Testing
import WSMCore

@testable import WSMHarness
@testable import WSMReport

@Suite("What the live page is told, and when")
struct LiveFeedTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func progress(_ phase: RunProgress.Phase, p99: TimeSpan? = nil, rate: Double = 0) -> RunProgress {
        var progress = RunProgress(name: "x", phase: phase, receivedPerSecond: rate)
        progress.recentP99 = p99
        return progress
    }

    /// The JSON object that a text is.
    static func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("At most five texts a second, however often the run tells of itself")
    func rate() {
        var feed = LiveFeed(name: "x", now: start)
        var sent: [Int64] = []
        for millisecond in Int64(0)..<10_000
        where feed.note(progress(.starting), now: start + .milliseconds(millisecond)) { sent.append(millisecond) }
        #expect(sent.count == 50)
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1 - $0 >= 200 })
    }

    @Test("Readings that come a little late do not halve the rate, and a pause earns no burst")
    func late() {
        var feed = LiveFeed(name: "x", now: start)
        var sent = 0
        // As the run reports: each 200 ms, a moment late or early.
        for number in Int64(1)...100 {
            let now = start + .milliseconds(number * 200 + (number % 3) * 7)
            if feed.note(progress(.starting), now: now) { sent += 1 }
        }
        #expect(sent >= 90)
        let later = start + .seconds(60)
        var burst = 0
        for millisecond in Int64(0)..<10
        where feed.note(progress(.starting), now: later + .milliseconds(millisecond)) { burst += 1 }
        #expect(burst == 1)
    }

    @Test("A new phase is told at once, and many of them in a row put nothing off for long")
    func phases() {
        var feed = LiveFeed(name: "x", now: start)
        var now = start
        for phase in RunProgress.Phase.allCases {
            now = now + .milliseconds(1)
            let isDue = feed.note(progress(phase), now: now)
            #expect(isDue)
            #expect(feed.state.phase == phase.rawValue)
        }
        let isDue = feed.note(progress(.closing), now: now + .milliseconds(200))
        #expect(isDue)
    }

    @Test("A history of a day holds 600 points at most, evenly apart, and no peak gets lost")
    func history() throws {
        var history = LiveHistory()
        let seconds: Int64 = 24 * 3600
        for second in 0..<seconds {
            let peak = second == 40_000
            history.note(
                progress(.measuring, p99: peak ? .seconds(7) : .milliseconds(2), rate: 100), age: .seconds(second))
            if second < 100 { #expect(history.points.count == Int(second) + 1) }
        }
        #expect(history.points.count <= LiveHistory.limit && history.points.count > LiveHistory.limit / 3)
        #expect(history.points.count { $0.p99 == .seconds(7) } == 1)
        #expect(history.points.allSatisfy { abs($0.receivedPerSecond - 100) < 1e-6 })
        let starts = history.points.map { history.start(of: $0) }
        #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 == history.step })
        #expect(try #require(starts.last) + history.step > .seconds(seconds - 1))
    }

    @Test("Readings out of order, or without a latency, are taken as they are")
    func odd() {
        var history = LiveHistory()
        history.note(progress(.measuring, p99: .milliseconds(5), rate: 10), age: .seconds(2))
        history.note(progress(.measuring, rate: 30), age: .seconds(1))
        history.note(progress(.measuring), age: .seconds(-1))
        #expect(history.points.count == 1)
        #expect(history.points[0].p99 == .milliseconds(5) && history.points[0].p50 == nil)
        #expect(abs(history.points[0].receivedPerSecond - 40.0 / 3) < 1e-9)
    }

    @Test("Who comes late gets how it was, then how it is")
    func greeting() throws {
        var feed = LiveFeed(name: "x", now: start)
        for second in Int64(0)..<30 {
            _ = feed.note(
                progress(.measuring, p99: .milliseconds(second), rate: Double(second)), now: start + .seconds(second))
        }
        let greeting = feed.greeting
        #expect(greeting.count == 2)
        let history = try Self.object(greeting[0])
        #expect(history["type"] as? String == "history")
        #expect((history["startMilliseconds"] as? [Double])?.last == 29_000)
        #expect((history["p99Milliseconds"] as? [Double])?.last == 29)
        for column in [
            "startMilliseconds", "p50Milliseconds", "p99Milliseconds", "receivedPerSecond", "publishedPerSecond",
        ] {
            #expect((history[column] as? [Any])?.count == 30, "\(column)")
        }
        #expect(try Self.object(greeting[1])["type"] as? String == "state")
    }

    @Test("A state says what the screen says, with units in the names of its times")
    func state() throws {
        var feed = LiveFeed(name: "quickstart", now: start)
        _ = feed.note(LiveScreenTests.busy(), now: start + .seconds(7))
        let state = try Self.object(feed.state.text)
        #expect(state["name"] as? String == "quickstart" && state["phase"] as? String == "measuring")
        #expect(state["elapsedMilliseconds"] as? Double == 4600 && state["totalMilliseconds"] as? Double == 10_000)
        #expect(state["measuredFromMilliseconds"] as? Double == 2400)
        #expect((state["clients"] as? [String: Any])?["areMissing"] as? Bool == true)
        #expect((state["latencyNow"] as? [String: Double]) == ["p50Milliseconds": 2, "p99Milliseconds": 30])
        #expect((state["latencySoFar"] as? [String: Double]) == ["p50Milliseconds": 1, "p99Milliseconds": 9])
        let instances = try #require(state["instances"] as? [[String: String]])
        #expect(instances[1] == ["text": "1 down", "tone": "bad"] && instances[0] == ["text": "0 up"])
        let faults = try #require(state["faults"] as? [String: Any])
        #expect(faults["next"] as? String == "clients.disconnect in 5 s")
        let happened = try #require(faults["happened"] as? [[String: Any]])
        #expect(
            happened.map { $0["text"] as? String } == [
                "redis.restart at 2.00 s, healed after 512 ms", "instance.kill of instance 1 at 4.00 s, for 1 s now",
            ])
        #expect(happened.map { $0["tone"] as? String } == ["good", "bad"])
        #expect(state["signs"] as? [String] == ["1 publish failed", "2 slow clients cut off"])
    }

    @Test("A text stays small and valid, whatever the names, the numbers and the instances are")
    func bounds() throws {
        let hostile = "</script>\u{202e}\u{0}\"\\\u{2028}" + String(repeating: "e\u{301}\u{301}", count: 20_000)
        var progress = LiveScreenTests.busy(name: hostile, failure: hostile)
        progress.receivedPerSecond = .nan
        progress.publishedPerSecond = .infinity
        progress.instances = (0..<100_000).map { .init(index: $0, state: $0 % 2 == 0 ? .up : .down) }
        progress.faults.happened = Array(repeating: progress.faults.happened[0], count: 100_000)
        var feed = LiveFeed(name: hostile, now: start)
        _ = feed.note(progress, now: start + .seconds(1))
        let text = feed.state.text
        #expect(text.utf8.count < 32_768, "\(text.utf8.count)")
        let state = try Self.object(text)
        #expect((state["received"] as? [String: Any])?["perSecond"] as? Double == 0)
        #expect((state["instances"] as? [[String: String]])?.first?["text"] == "50000 up, 50000 down")
        #expect((state["faults"] as? [String: Any])?["earlier"] as? Int == 100_000 - 8)
        for character in ["\u{202e}", "\u{0}", "\u{2028}"] { #expect(!text.contains(character)) }
        #expect((state["name"] as? String)?.hasPrefix("</script>\\u{202e}\\u{0}\"\\\\u{2028}") == true)
    }

    @Test("The end has the verdict, its reason, the exit code and the folder; a run that failed has no folder")
    func end() throws {
        var feed = LiveFeed(name: "x", now: start)
        _ = feed.note(progress(.closing), now: start)
        var result = SampleRun.passed()
        result.delivery = DeliveryCounts(expected: 5, received: 4, lost: 1, lostByCause: ["evicted": 1])
        let end = try Self.object(feed.end(RunOutcome(result: result, folder: "Results/runs/x")))
        #expect(end["type"] as? String == "end" && end["verdict"] as? String == "passed")
        #expect(end["word"] as? String == "PASSED" && end["tone"] as? String == "good")
        #expect(end["reason"] as? String == result.reason && end["exitCode"] as? Int == 0)
        #expect(end["folder"] as? String == "Results/runs/x")
        #expect(end["deliveries"] as? [String: Int] == ["expected": 5, "received": 4, "lost": 1, "indeterminate": 0])
        #expect((end["state"] as? [String: Any])?["phase"] as? String == "closing")
        let failed = try Self.object(feed.end(error: "no Redis\u{1b}[2J", exitCode: 5))
        #expect(failed["verdict"] as? String == "error" && failed["folder"] == nil && failed["exitCode"] as? Int == 5)
        #expect(failed["reason"] as? String == "no Redis\\u{1b}[2J")
    }
}
