import Testing
import WSMHarness
import WSMVerify

@testable import WSMReport

@Suite("Markdown for a job's summary")
struct MarkdownReportTests {
    @Test("The verdict comes first, what did not pass next, and the details are folded")
    func shape() throws {
        let text = MarkdownReport.text(SampleRun.failed(), folder: "Results/latest")
        let lines = text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("# FAILED: sample: completeness is violated") == true)
        let table = try #require(lines.firstIndex { $0.hasPrefix("| did not pass") })
        #expect(lines[table + 2] == "| latency.p99 \\< 50ms | failed | the run had 61.0 ms |")
        let fold = try #require(lines.firstIndex { $0.hasPrefix("<details>") })
        #expect(table < fold)
        #expect(text.components(of: "<details>") == text.components(of: "</details>"))
        #expect(text.contains("990 of 1,000 deliveries received"))
    }

    @Test("Hostile texts stay text")
    func hostile() {
        let text = MarkdownReport.text([ReportedRun(SampleRun.hostile(), folder: "a`b|c<script>")])
        #expect(!text.contains("<b>") && !text.contains("<script>") && !text.contains("\u{1b}"))
        #expect(text.contains("a\\`b\\|c\\<script\\>"))
        // Every row of a table has the cells of its header.
        var columns = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("| ") else {
                columns = 0
                continue
            }
            let cells = line.replacing("\\|", with: "").count { $0 == "|" }
            if columns == 0 { columns = cells }
            #expect(cells == columns, "\(line)")
        }
    }

    @Test("However much there is to say, the page is one that GitHub takes")
    func limit() {
        var long = SampleRun.failed()
        let text = String(repeating: "🙂|", count: 400)
        long.guarantees = (0..<700).map {
            GuaranteeResult(id: "\($0)\(text)", promised: true, verdict: .violated, checked: 1, witness: text)
        }
        long.validity.reasons = Array(repeating: text, count: 500)
        long.judge()
        let one = MarkdownReport.text(long)
        #expect(one.utf8.count <= MarkdownReport.byteLimit)
        #expect(one.contains("left out"))
        let many = MarkdownReport.text(Array(repeating: ReportedRun(long), count: 40))
        #expect(many.utf8.count <= MarkdownReport.byteLimit)
        #expect(many.hasPrefix("# 40 runs"))
    }
}

extension String {
    fileprivate func components(of word: String) -> Int { ranges(of: word).count }
}
