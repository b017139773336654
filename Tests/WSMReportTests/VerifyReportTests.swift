import Testing
import WSMHarness
import WSMRecord
import WSMReport
import WSMVerify

@Suite("The report on a stored trace")
struct VerifyReportTests {
    private func result() -> VerifyResult {
        var read = TraceSummary()
        read.events = ["received": 1_234_567, "submitted": 20]
        read.receipts = 1_234_567
        read.messages = 20
        read.sessions = 7
        read.chunks = 3
        read.firstAt = 1_000_000_000
        read.lastAt = 3_500_000_000
        var result = VerifyResult(trace: "Results/latest/trace.zst", read: read)
        result.name = "quickstart"
        result.reason = "every expected delivery arrived"
        return result
    }

    @Test("A trace that agrees with its run says so, with ledger and verdicts")
    func same() {
        var result = result()
        result.verdict = .passed
        result.comparison = .same
        result.delivery = DeliveryCounts(published: 20, expected: 140, received: 140)
        result.guarantees = [
            GuaranteeResult(id: "integrity", promised: true, verdict: .holds, checked: 140),
            GuaranteeResult(
                id: "at-most-once", promised: true, verdict: .violated, checked: 140, violations: 1,
                witness: "client 3 received 0:4 again"),
        ]
        let text = VerifyReport.text(result)
        #expect(text.hasPrefix("PASSED  quickstart: every expected delivery arrived\n"))
        #expect(text.contains("Same as the live run"))
        #expect(text.contains("1,234,567 receipts, 20 messages, 7 sessions"))
        #expect(text.contains("over 2.50 s"))
        #expect(text.contains("Received    140 deliveries (100 %)"))
        #expect(text.contains("integrity*"))
        #expect(text.contains("client 3 received 0:4 again"))
    }

    @Test("What differs is listed field by field")
    func different() {
        var result = result()
        result.comparison = .different
        result.delivery = DeliveryCounts()
        result.differences = [.init(path: "delivery.lost", live: "3", verified: "0")]
        let text = VerifyReport.text(result)
        #expect(text.hasPrefix("DIFFERENT"))
        #expect(text.contains("Differs     delivery.lost"))
        #expect(text.contains("  live      3"))
    }

    @Test("A damaged trace shows what could be read, and no ledger")
    func damaged() {
        var result = result()
        result.damage = .init(code: .cut, offset: 77, chunk: 3, what: "the file ends within this chunk")
        result.reason = "the trace is cut: chunk 3, from byte 77 on: the file ends within this chunk"
        let text = VerifyReport.text(result)
        #expect(text.hasPrefix("CUT  quickstart: the trace is cut"))
        #expect(text.contains("not enough to check the run again"))
        #expect(text.contains("received"))
        #expect(!text.contains("Expected"))
        #expect(VerifyReport.text(result, color: true).contains("\u{1b}["))
    }
}
