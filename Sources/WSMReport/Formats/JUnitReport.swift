import WSMHarness
import WSMScenario

/// JUnit XML: a suite for each run, with a case for its validity, each threshold and each guarantee.
///
/// The elements and attributes are those that Jenkins, GitLab and GitHub's test reporters read. `failure` is a missed threshold
/// or a guarantee that is not as expected, `error` an INVALID run or a lack of evidence, `skipped` what nothing was expected
/// of. A suite has a failure or an error if, and only if, the run's exit code is not 0.
package enum JUnitReport {
    package static func text(_ runs: [ReportedRun]) -> String {
        let suites = zip(ReportedRun.names(of: runs), runs).map { Suite(name: $0, run: $1) }
        let total = suites.reduce(into: Counts()) { $0.add($1.counts) }
        let seconds = NumberText.seconds(runs.reduce(0) { $0 + $1.result.durationNanoseconds })
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="wsmlab" \(total.attributes) time="\(seconds)">
            \(suites.map(\.xml).joined())</testsuites>

            """
    }

    /// How many cases there are of each kind.
    private struct Counts {
        var tests = 0
        var failures = 0
        var errors = 0
        var skipped = 0

        init() {}

        init(_ checks: [RunCheck]) {
            tests = checks.count
            failures = checks.count { $0.outcome == .failed }
            errors = checks.count { $0.outcome == .unproven }
            skipped = checks.count { $0.outcome == .skipped }
        }

        mutating func add(_ other: Counts) {
            tests += other.tests
            failures += other.failures
            errors += other.errors
            skipped += other.skipped
        }

        var attributes: String {
            "tests=\"\(tests)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
        }
    }

    private struct Suite {
        let name: String
        let run: ReportedRun
        let checks: [RunCheck]
        var counts: Counts { Counts(checks) }

        init(name: String, run: ReportedRun) {
            self.name = name
            self.run = run
            checks = RunCheck.all(of: run.result)
        }

        var xml: String {
            let result = run.result
            // The schema of JUnit has no place for a time zone; the time is UTC.
            let start = result.startedAt.hasSuffix("Z") ? String(result.startedAt.dropLast()) : result.startedAt
            let seconds = NumberText.seconds(result.durationNanoseconds)
            var lines = [
                "  <testsuite name=\"\(XMLText.escaped(name))\" \(counts.attributes) time=\"\(seconds)\" "
                    + "timestamp=\"\(XMLText.escaped(start))\">", "    <properties>",
            ]
            for (name, value) in properties {
                lines.append("      <property name=\"\(name)\" value=\"\(XMLText.escaped(value))\"/>")
            }
            lines.append("    </properties>")
            lines += checks.enumerated().map { element($1, isFirst: $0 == 0) }
            if !result.reason.isEmpty {
                lines.append("    <system-out>\(XMLText.escaped(result.reason))</system-out>")
            }
            lines.append("  </testsuite>")
            return lines.map { $0 + "\n" }.joined()
        }

        private var properties: [(String, String)] {
            let result = run.result
            let known: [(String, String)] = [
                ("verdict", result.verdict.rawValue), ("exitCode", "\(result.exitCode)"), ("seed", "\(result.seed)"),
                ("setup", Headline.setup(of: result)), ("wsmlab", result.environment.version),
                ("kernel", result.environment.kernel), ("cores", "\(result.environment.cores)"),
            ]
            return known + (run.folder.map { [("runFolder", $0)] } ?? [])
        }

        /// A run is measured once: the first case has its time, so that sums over cases come out.
        private func element(_ check: RunCheck, isFirst: Bool) -> String {
            let seconds = isFirst ? NumberText.seconds(run.result.durationNanoseconds) : "0"
            var head = "<testcase name=\"\(XMLText.escaped(check.name))\""
            head += " classname=\"\(XMLText.escaped("wsmlab.\(name).\(check.group)"))\" time=\"\(seconds)\""
            if let (file, line) = place(of: check) { head += " file=\"\(XMLText.escaped(file))\" line=\"\(line)\"" }
            let message = XMLText.escaped(check.message)
            let inner: String? =
                switch check.outcome {
                case .passed: check.message.isEmpty ? nil : "<system-out>\(message)</system-out>"
                case .failed: "<failure type=\"\(check.group)\" message=\"\(message)\">\(message)</failure>"
                case .unproven: "<error type=\"inconclusive\" message=\"\(message)\">\(message)</error>"
                case .skipped: "<skipped message=\"\(message)\"/>"
                }
            return "    " + (inner.map { "\(head)>\($0)</testcase>" } ?? "\(head)/>")
        }

        private func place(of check: RunCheck) -> (file: String, line: Int)? {
            run.places.map { ($0.file, $0.place(of: check).line) }
        }
    }
}

extension ScenarioPlaces {
    /// The line that a check belongs to.
    func place(of check: RunCheck) -> Place {
        switch check.subject {
        case .threshold(let expression): threshold(expression)
        case .guarantee(let id): guarantee(id)
        case .validity, .verdict: start
        }
    }
}
