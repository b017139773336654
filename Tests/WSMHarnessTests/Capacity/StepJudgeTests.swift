import Testing
import WSMScenario
import WSMVerify

@testable import WSMHarness

@Suite("Whether a load was carried")
struct StepJudgeTests {
    private func judge(_ result: RunResult, limit: String = "latency.p99 < 100ms") throws -> StepJudge.Judgement {
        StepJudge(limit: try Threshold.parse(limit).get()).judge(result)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var outcome: StepOutcome
        var words: String?
        var change: @Sendable (inout RunResult) -> Void

        init(
            _ name: String, _ outcome: StepOutcome, _ words: String?,
            _ change: @escaping @Sendable (inout RunResult) -> Void
        ) {
            testDescription = name
            self.outcome = outcome
            self.words = words
            self.change = change
        }
    }

    static let cases: [Case] = [
        Case("all is well", .carried, nil) { _ in },
        Case("a SUSPECT run counts", .carried, nil) { $0.validity = Validity(verdict: .suspect, reasons: ["busy"]) },
        Case("an INVALID run does not tell", .notJudged, "the loops were late") {
            $0.validity = Validity(verdict: .invalid, reasons: ["the loops were late"])
            $0.latency = MadeUpRun.latency(milliseconds: 500)
        },
        Case("the limit is missed", .missed, "latency.p99 < 100ms is missed") {
            $0.latency = MadeUpRun.latency(milliseconds: 100)
        },
        Case("a loss without a cause", .missed, "3 deliveries were lost, most by cause unexplained") {
            $0.delivery.lost = 3
            $0.delivery.lostByCause = ["unexplained": 2, "evicted": 1]
        },
        Case("slow readers lose what is planned", .carried, nil) {
            $0.delivery.lost = 7
            $0.delivery.lostByCause = ["evicted": 7]
            $0.delivery.lostBySlowReaders = 7
        },
        Case("others are evicted beside slow readers", .missed, "2 deliveries were lost, most by cause evicted") {
            $0.delivery.lost = 9
            $0.delivery.lostByCause = ["evicted": 9]
            $0.delivery.lostBySlowReaders = 7
        },
        Case("memory managers reach no other instance", .carried, nil) {
            $0.setup.manager = "memory"
            $0.delivery.lost = 50
            $0.delivery.lostByCause = ["other-instance": 50]
        },
        Case("a broadcast manager that does not is at fault", .missed, "50 deliveries were lost") {
            $0.delivery.lost = 50
            $0.delivery.lostByCause = ["other-instance": 50]
        },
        Case("a promise is broken", .missed, "completeness is violated") { $0.guarantees[0].verdict = .violated },
        Case("a promise is unknown", .notJudged, "completeness is unknown") { $0.guarantees[0].verdict = .unknown },
        Case("nothing arrived", .notJudged, "nothing was delivered") { $0.delivery.received = 0 },
        Case("a used-up pool, although the run is INVALID", .missed, "no more Redis connections") {
            $0.instances[1].poolExhausted = 3
            $0.validity = Validity(verdict: .invalid, reasons: ["3 clients never connected"])
        },
        Case("a full thread pool", .missed, "thread pool was full") { $0.generator?.refusedStarts = 4 },
        Case("clients that never connected", .missed, "6 of 100 clients never connected") {
            $0.clients.failed = 6
            $0.validity = Validity(verdict: .invalid, reasons: ["6 clients never connected"])
        },
        Case("clients that a strained generator could not connect", .notJudged, "6 clients never connected") {
            $0.clients.failed = 6
            $0.validity = Validity(verdict: .invalid, reasons: ["6 clients never connected"])
            $0.generator?.cpu?.recordingLoop.busy = 0.99
        },
    ]

    @Test("Everything delivered, every promise kept, within the limit", arguments: cases)
    func rules(_ each: Case) throws {
        let judgement = try judge(MadeUpRun.result(each.change))
        #expect(judgement.outcome == each.outcome, "\(judgement)")
        if let words = each.words {
            #expect(judgement.reason?.contains(words) == true, "\(judgement)")
        } else {
            #expect(judgement.reason == nil)
        }
    }

    @Test("A limit on what has no samples is neither kept nor missed")
    func noSamples() throws {
        let judgement = try judge(MadeUpRun.result(), limit: "stages.worker.p99 < 1s")
        #expect(judgement == .init(.notJudged, "stages.worker.p99 has no samples"))
    }
}
