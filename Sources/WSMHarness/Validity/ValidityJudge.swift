internal import Foundation
internal import WSMRecord

extension Validity {
    /// Whether the load generator measured the system or itself.
    ///
    /// A pure function: each finding says what was measured, its bound, and what to change. What spoils the run stands first.
    package static func judge(_ evidence: ValidityEvidence, bounds: ValidityBounds = .standard) -> Validity {
        var judge = ValidityJudge(bounds: bounds)
        judge.time(evidence)
        let timesAreFine = judge.faults.isEmpty && judge.suspicions.isEmpty
        judge.demand(evidence, timesAreFine: timesAreFine)
        judge.records(evidence)
        if !judge.faults.isEmpty { return Validity(verdict: .invalid, reasons: judge.faults + judge.suspicions) }
        return Validity(verdict: judge.suspicions.isEmpty ? .valid : .suspect, reasons: judge.suspicions)
    }
}

/// Gathers findings.
private struct ValidityJudge {
    let bounds: ValidityBounds
    var suspicions: [String] = []
    var faults: [String] = []

    init(bounds: ValidityBounds) {
        self.bounds = bounds
    }

    private typealias Bound = ValidityBounds.Bound

    // MARK: Times

    /// What shows in the latencies.
    mutating func time(_ evidence: ValidityEvidence) {
        let generator = evidence.generator
        if evidence.scheduleSlip.count > 0 {
            judge(
                Double(evidence.scheduleSlip.p99), bounds.scheduleSlip, "the load was late against its own plan, p99",
                milliseconds, "lower the rate or take other work off this machine")
        }
        if let stalls = generator.clientLoopStalls, stalls.count > 0 {
            judge(
                Double(stalls.p99), bounds.clientLoopStall, "the clients' event loops came late to what was due, p99",
                milliseconds, "use fewer clients, a lower rate, or a less busy machine")
        }
        if let timers = generator.timerLateness, timers.count > 0 {
            judge(
                Double(timers.p99), bounds.timerLateness, "the clients' timers came late, p99", milliseconds,
                "lower clients.connectRate or clients.churn, or use a less busy machine")
        }
        if let buffers = generator.receiveBuffers, buffers.samples > 0 {
            judge(
                buffers.shareOverHalf, bounds.receiveBuffers,
                "receive buffers of clients that read freely were more than half full in", percent,
                "the clients do not keep up: use fewer of them or a lower rate")
        }
        if let cpu = generator.cpu { self.cpu(cpu, isDirect: evidence.isDirect) }
    }

    private mutating func cpu(_ cpu: CPUFigures, isDirect: Bool) {
        let loops = isDirect ? "the event loops that record deliveries" : "the clients' event loops"
        let loop = cpu.recordingLoop
        if Double(loop.waitPerWake) >= bounds.leastCPUWait {
            judge(
                loop.waitRatio, bounds.cpuWait, "of the time in which \(loops) had work, they had no CPU for", percent,
                "stop what else runs here or give this process more than its "
                    + "\(cpu.allowedCPUs) CPU\(cpu.allowedCPUs == 1 ? "" : "s") (the machine was "
                    + "\(percent(cpu.machineBusy)) busy)")
        }
        // Without sockets the instance's fan-out runs on the same loop, and to be busy is the system's own affair.
        if !isDirect {
            judge(
                loop.occupied, bounds.loopOccupied, "\(loops) had work for", percent,
                "the generator is at its own limit: use fewer clients or a lower rate")
        }
        judge(
            cpu.steal, bounds.steal, "other virtual machines took of the CPU time", percent,
            "run on a host with its CPUs to itself")
    }

    /// Holds the plan against what the generator can take in; alone it proves nothing, so where the times are fine it only
    /// makes the run suspect.
    mutating func demand(_ evidence: ValidityEvidence, timesAreFine: Bool) {
        if let failure = evidence.calibrationFailure {
            suspicions.append("the generator could not be calibrated: \(failure)")
        }
        guard let calibration = evidence.calibration, bounds.demand != .none else { return }
        let planned = evidence.generator.plannedDeliveriesPerSecond
        let share = calibration.deliveriesPerSecond > 0 ? planned / calibration.deliveriesPerSecond : .infinity
        guard share > bounds.demand.suspect else { return }
        let text =
            "the plan asks for \(grouped(planned)) deliveries a second, and the generator can take in "
            + "\(grouped(calibration.deliveriesPerSecond)) here (bounds "
            + "\(percent(bounds.demand.suspect)), \(percent(bounds.demand.invalid))): lower the rate or the clients"
        if share > bounds.demand.invalid, !timesAreFine { faults.append(text) } else { suspicions.append(text) }
    }

    // MARK: Records

    /// What shows in the counts.
    mutating func records(_ evidence: ValidityEvidence) {
        if let failure = evidence.connectFailure {
            faults.append("\(failure): lower clients.count or look at why they fail")
        }
        faults += evidence.partFailures
        for failure in evidence.faultFailures { faults.append("the run broke otherwise than planned: \(failure)") }
        if evidence.negativeLatencies > 0 {
            suspicions.append("\(evidence.negativeLatencies) latencies were below zero: two clocks disagree")
        }
        if evidence.refusedStarts > 0 {
            suspicions.append(
                "\(evidence.refusedStarts) planned processes could not be started: the thread pool was full; "
                    + "lower the rate or raise cluster.workers")
        }
        if evidence.unfencedSessions > 0 {
            suspicions.append(
                "\(evidence.unfencedSessions) sessions did not get the end fence: they are deaf, and what they should have "
                    + "got last is lost, or they read slowly, and it is indeterminate")
        }
        if evidence.unkeptEvents > 0 {
            suspicions.append(
                "\(evidence.unkeptEvents) events inside the instances were too many to keep: losses that they explain are "
                    + "called unexplained; make the run shorter")
        }
        if let suspicion = evidence.traceSuspicion { suspicions.append(suspicion) }
        for process in evidence.endedProcesses {
            suspicions.append(
                "process \(process.pid) of target.pids ended \(milliseconds(Double(process.atNanoseconds))) into the load: "
                    + "its CPU and memory are counted up to there")
        }
    }

    // MARK: Words

    private mutating func judge(
        _ value: Double, _ bound: Bound, _ what: String, _ unit: (Double) -> String, _ advice: String
    ) {
        guard value > bound.suspect else { return }
        let isInvalid = value > bound.invalid
        let limit = unit(isInvalid ? bound.invalid : bound.suspect)
        let text = "\(what) \(unit(value)), over \(limit); \(advice)"
        if isInvalid { faults.append(text) } else { suspicions.append(text) }
    }

    private func milliseconds(_ nanoseconds: Double) -> String { "\(Int((nanoseconds / 1e6).rounded())) ms" }
    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
    private func grouped(_ number: Double) -> String {
        Int(number.rounded()).formatted(.number.locale(Locale(identifier: "en_US")))
    }
}
