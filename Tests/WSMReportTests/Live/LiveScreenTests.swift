import Testing
import WSMCore
import WSMRecord

@testable import WSMHarness
@testable import WSMReport

@Suite("The screen of a run's progress")
struct LiveScreenTests {
    /// A run in which a lot goes on.
    static func busy(name: String = "quickstart", failure: String? = nil) -> RunProgress {
        var stages = StageHistograms()
        for span in [1, 3] as [Int64] { stages.worker.record(.milliseconds(span)) }
        stages.wire.record(.microseconds(40))
        var others = StageHistograms()
        others.wire.record(.microseconds(10), count: 2)
        var means = StageMeans(stages)
        means.add(StageMeans(others))
        var progress = RunProgress(
            name: name, phase: .measuring, elapsed: .milliseconds(4600), total: .seconds(10), clientsConnected: 1180,
            clientsPlanned: 1200, published: 500, received: 600_000, publishedPerSecond: 100,
            receivedPerSecond: 118_000, p50: .milliseconds(1), p99: .milliseconds(9))
        progress.recentP50 = .milliseconds(2)
        progress.recentP99 = .milliseconds(30)
        progress.stages = means
        progress.instances = [
            .init(index: 0, state: .up), .init(index: 1, state: .down), .init(index: 2, state: .up, isThreadDead: true),
        ]
        progress.faults.happened = [
            .init(
                action: "redis.restart", plannedAt: .seconds(2), at: .milliseconds(2001), healedAt: .milliseconds(2513),
                failure: failure),
            .init(action: "instance.kill", target: 1, plannedAt: .seconds(4), at: .seconds(4)),
        ]
        progress.faults.next = .init(action: "clients.disconnect", plannedAt: .seconds(9))
        progress.signs.publishesFailed = 1
        progress.signs.clientsEvicted = 2
        return progress
    }

    private func text(_ progress: RunProgress, width: Int = 100, height: Int = 40) -> [String] {
        LiveScreen.lines(progress, width: width, height: height, color: false).map(\.text)
    }

    @Test("Phase, time left, clients, rates, latency, stages, instances, faults and signs of loss, a line each")
    func wide() {
        #expect(
            text(Self.busy()) == [
                "quickstart  measuring  [##################----------------------]  6 s left",
                "  clients   1,180 of 1,200 up",
                "  rate      100/s published  118k/s delivered  600,000 so far",
                "  latency   now p50 2.00 ms  p99 30.0 ms   so far p50 1.00 ms  p99 9.00 ms",
                "  means     worker 2.00 ms > wire 20.0 µs",
                "  instances 0 up  1 down  2 up, broadcast thread dead",
                "  faults    redis.restart at 2.00 s, healed after 512 ms",
                "            instance.kill of instance 1 at 4.00 s, for 1 s now",
                "  next      clients.disconnect in 5 s",
                "  signs     1 publish failed  2 slow clients cut off  (losses are counted at the end)",
            ])
    }

    @Test("A narrow terminal gets what matters on fewer lines")
    func narrow() {
        #expect(
            text(Self.busy(), width: 40) == [
                "measuring  [#####-------]  6 s left",
                "1,180 of 1,200 up  118k/s delivered",
                "p50 2.00 ms  p99 30.0 ms  now",
                "instance 1 down, instance 2 up, broadca…",
                "instance.kill 1: for 1 s now",
                "1 publish failed  2 slow clients cut off",
            ])
    }

    @Test("A low terminal keeps the lines that matter most", arguments: 1...12)
    func height(lines: Int) {
        let shown = text(Self.busy(), height: lines)
        #expect(shown.count == min(lines, 10))
        #expect(shown[0].contains("measuring"))
        if lines == 4 { #expect(shown.map { $0.prefix(12) }.contains("  latency   ")) }
        // Of the faults, the one that is under way goes last.
        if lines == 6 { #expect(!shown.contains { $0.contains("redis.restart") }) }
    }

    static let hostile = [
        "plain", "\u{1b}[2J\u{1b}]0;x\u{7}", "a\nb\r\tc", "記憶管理記憶管理記憶管理記憶管理", "👩‍👩‍👧‍👦👍🏽🇨🇭❤️", "e\u{301}e\u{301}\u{202e}",
        String(repeating: "x", count: 500), "\u{fe0f}\u{200b}\u{ad}",
    ]

    @Test(
        "No line is wider than the terminal or moves its cursor, whatever things are called",
        arguments: [1, 2, 5, 10, 20, 39, 40, 59, 60, 61, 80, 100, 200], hostile)
    func width(width: Int, name: String) {
        let progress = Self.busy(name: name, failure: name)
        for color in [false, true] {
            for line in LiveScreen.lines(progress, width: width, height: 40, color: color) {
                #expect(line.columns <= width, "\(line)")
                let seen = line.text.replacing(#/\u{1b}\[[0-9;]*m/#, with: "")
                #expect(TerminalText.columns(seen) == line.columns)
                #expect(!seen.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(line)")
            }
        }
    }

    @Test("With colours, what is down stands out, and without there is no escape sequence")
    func color() {
        let colored = LiveScreen.lines(Self.busy(), width: 100, height: 40, color: true).map(\.text)
        #expect(colored.contains { $0.contains("\u{1b}[1;31m1 down\u{1b}[0m") })
        #expect(!text(Self.busy()).contains { $0.contains("\u{1b}") })
    }

    @Test("Where instances are too many for a line, those of one state stand together")
    func manyInstances() {
        var progress = Self.busy()
        progress.instances = (0..<64).map { .init(index: $0, state: $0 == 17 ? .paused : .up) }
        #expect(text(progress).contains("  instances 63 up, instance 17 paused"))
    }

    @Test("Many faults: the last ones, and how many there were before")
    func manyFaults() {
        var progress = Self.busy()
        progress.faults.happened = (0..<8).map {
            .init(action: "clients.disconnect", plannedAt: .seconds($0), at: .seconds($0), isLasting: false)
        }
        progress.faults.earlier = 1000
        let faults = text(progress).filter { $0.contains("clients.disconnect at") }
        #expect(faults.count == 4)
        #expect(faults.first == "  faults    clients.disconnect at 4.00 s (1,004 before)")
        #expect(faults.last == "            clients.disconnect at 7.00 s")
    }

    @Test("No loss is told of while the run lasts, and nothing that arrives no longer looks quick")
    func honest() {
        var progress = Self.busy()
        progress.recentP50 = nil
        progress.recentP99 = nil
        #expect(text(progress).contains { $0.contains("now nothing arrives") })
        progress.signs = .init()
        #expect(!text(progress).joined().contains("los"))
        #expect(!ProgressLine.plain(progress).contains("lost"))
    }

    @Test("A plain line tells the phase, the figures and what is unusual")
    func plain() {
        #expect(
            ProgressLine.plain(Self.busy())
                == "measuring 4.60 s of 10.0 s: 1,180/1,200 clients  118k/s delivered  p50 1.00 ms  p99 9.00 ms  "
                + "instance 1 down, instance 2 up, broadcast thread dead  1 publish failed  2 slow clients cut off")
    }

    @Test(
        "The time left reads like a clock",
        arguments: [
            (0, "0 s"), (1, "1 s"), (59_001, "1 min 00 s"), (60_000, "1 min 00 s"), (3_599_000, "59 min 59 s"),
            (3_780_000, "1 h 03 min"),
        ])
    func clock(milliseconds: Int64, text: String) {
        #expect(ClockText.coarse(.milliseconds(milliseconds)) == text)
    }
}
