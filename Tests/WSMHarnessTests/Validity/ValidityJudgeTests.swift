import Testing
import WSMCore
import WSMHarness
import WSMRecord

@Suite("Whether the load generator measured the system or itself")
struct ValidityJudgeTests {
    /// A run on a calm machine.
    static func calm() -> ValidityEvidence {
        var evidence = ValidityEvidence()
        evidence.scheduleSlip = slip(2)
        evidence.generator.plannedDeliveriesPerSecond = 70_000
        evidence.generator.clientLoopStalls = slip(4)
        evidence.generator.instanceLoopStalls = slip(5000)
        evidence.generator.timerLateness = TimerFigures(count: 100, p99: 4_000_000, max: 9_000_000)
        evidence.generator.receiveBuffers = ReceiveBufferFigures(samples: 800, overHalf: 0, fullest: 0.1)
        evidence.generator.cpu = cpu(busy: 0.3, waiting: 0.1)
        evidence.calibration = Calibration(
            deliveriesPerSecond: 200_000, bulkDeliveriesPerSecond: 4e6, cpuSecondsPerMillionDeliveries: 5,
            latencyFloor: slip(1), pacing: slip(1))
        return evidence
    }

    static func slip(_ milliseconds: Int64) -> LatencySummary {
        LatencySummary(count: 1000, p99: milliseconds * 1_000_000, max: milliseconds * 2_000_000)
    }

    static func cpu(
        busy: Double, waiting: Double, waitPerWake: Int64 = 500_000, steal: Double = 0
    ) -> CPUFigures {
        CPUFigures(
            recordingLoop: LoopShares(busy: busy, waiting: waiting, waitPerWake: waitPerWake), machineBusy: 0.8,
            steal: steal, allowedCPUs: 1)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var verdict: Validity.Verdict
        /// What the first reason must hold.
        var reason: String
        var change: @Sendable (inout ValidityEvidence) -> Void

        init(
            _ name: String, _ verdict: Validity.Verdict, _ reason: String,
            _ change: @escaping @Sendable (inout ValidityEvidence) -> Void
        ) {
            testDescription = name
            self.verdict = verdict
            self.reason = reason
            self.change = change
        }
    }

    static let cases: [Case] = [
        Case("a calm run", .valid, "") { _ in },
        Case("a stalled instance is the system's own", .valid, "") { $0.generator.instanceLoopStalls = slip(60_000) },
        Case("slip at the bound", .valid, "") { $0.scheduleSlip = slip(20) },
        Case("slip over the bound", .suspect, "late against its own plan, p99 21 ms, over 20 ms") {
            $0.scheduleSlip = slip(21)
        },
        Case("slip far over the bound", .invalid, "over 100 ms; lower the rate") { $0.scheduleSlip = slip(101) },
        Case("client loops late", .suspect, "event loops came late") { $0.generator.clientLoopStalls = slip(50) },
        Case("client loops standing", .invalid, "event loops came late") { $0.generator.clientLoopStalls = slip(500) },
        Case("late timers", .suspect, "timers came late") {
            $0.generator.timerLateness = TimerFigures(count: 1, p99: 200_000_000, max: 200_000_000)
        },
        Case("no CPU for 56 % of the work", .suspect, "they had no CPU for 56 %, over 50 %") {
            $0.generator.cpu = cpu(busy: 0.22, waiting: 0.28)
        },
        Case("no CPU for 66 % of the work", .invalid, "more than its 1 CPU (the machine was 80 % busy)") {
            $0.generator.cpu = cpu(busy: 0.17, waiting: 0.33)
        },
        Case("waits of microseconds", .valid, "") {
            $0.generator.cpu = cpu(busy: 0.01, waiting: 0.03, waitPerWake: 20_000)
        },
        Case("loops at their limit", .invalid, "had work for 97 %, over 95 %") {
            $0.generator.cpu = cpu(busy: 0.9, waiting: 0.07)
        },
        Case("stolen CPU", .suspect, "other virtual machines took of the CPU time 10 %") {
            $0.generator.cpu = cpu(busy: 0.1, waiting: 0, steal: 0.1)
        },
        Case("unread sockets", .invalid, "receive buffers") {
            $0.generator.receiveBuffers = ReceiveBufferFigures(samples: 100, overHalf: 30, fullest: 1)
        },
        Case("a plan near the limit", .suspect, "the plan asks for 150,000 deliveries a second") {
            $0.generator.plannedDeliveriesPerSecond = 150_000
        },
        Case("a plan over the limit that went well", .suspect, "can take in 200,000") {
            $0.generator.plannedDeliveriesPerSecond = 700_000
        },
        Case("a plan over the limit that did not go well", .invalid, "the plan asks for 700,000") {
            $0.generator.plannedDeliveriesPerSecond = 700_000
            $0.generator.cpu = cpu(busy: 0.6, waiting: 0.3)
        },
        Case("a failed calibration", .suspect, "could not be calibrated: no port") {
            $0.calibration = nil
            $0.calibrationFailure = "no port"
        },
        Case("clients that never came", .invalid, "3 of 12") { $0.connectFailure = "3 of 12 clients connected" },
        Case("two clocks", .suspect, "below zero") { $0.negativeLatencies = 1 },
        Case("a full thread pool", .suspect, "thread pool was full") { $0.refusedStarts = 2 },
        Case("no end fence", .suspect, "end fence") { $0.unfencedSessions = 1 },
    ]

    @Test("Each figure is held against its bounds, and the reason says what to change", arguments: cases)
    func table(_ row: Case) throws {
        var evidence = Self.calm()
        row.change(&evidence)
        let validity = Validity.judge(evidence)
        #expect(validity.verdict == row.verdict, "\(validity.reasons)")
        #expect(validity.reasons.isEmpty == (row.verdict == .valid))
        if row.verdict != .valid {
            let first = try #require(validity.reasons.first)
            #expect(first.contains(row.reason), "\(first)")
        }
    }

    @Test("What spoils a run stands before what makes it suspect")
    func order() {
        var evidence = Self.calm()
        evidence.scheduleSlip = Self.slip(30)
        evidence.generator.clientLoopStalls = Self.slip(300)
        let validity = Validity.judge(evidence)
        #expect(validity.verdict == .invalid)
        #expect(validity.reasons.count == 2)
        #expect(validity.reasons.first?.contains("event loops") == true)
    }

    @Test("Without sockets a busy instance is the system's own, a wait for the CPU is not")
    func direct() {
        var evidence = Self.calm()
        evidence.isDirect = true
        evidence.generator.clientLoopStalls = nil
        evidence.generator.receiveBuffers = nil
        evidence.generator.cpu = Self.cpu(busy: 0.99, waiting: 0)
        #expect(Validity.judge(evidence).verdict == .valid)
        evidence.generator.cpu = Self.cpu(busy: 0.2, waiting: 0.6)
        #expect(Validity.judge(evidence).verdict == .invalid)
    }

    @Test("Bounds for runs whose times nobody reads judge the counts alone")
    func countsOnly() {
        var evidence = Self.calm()
        evidence.scheduleSlip = Self.slip(5000)
        evidence.generator.clientLoopStalls = Self.slip(5000)
        evidence.generator.cpu = Self.cpu(busy: 0.1, waiting: 0.9)
        evidence.generator.plannedDeliveriesPerSecond = 1e9
        #expect(Validity.judge(evidence, bounds: .countsOnly).verdict == .valid)
        evidence.connectFailure = "nobody came"
        #expect(Validity.judge(evidence, bounds: .countsOnly).verdict == .invalid)
    }
}
