internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMVerify

extension Measurement {
    /// Where the generator begins to spoil a run.
    private enum Bound {
        static let suspectSlip = TimeSpan.milliseconds(20)
        static let invalidSlip = TimeSpan.milliseconds(250)
        static let suspectStall = TimeSpan.milliseconds(100)
        static let invalidStall = TimeSpan.seconds(1)
        /// The share of one core that all client loops and load threads may take, a loop.
        static let suspectBusy = 0.9
    }

    /// Whether the load generator measured the system or itself.
    func validity(latency: LatencyHistogram) -> Validity {
        var suspicions: [String] = []
        var faults: [String] = []
        if let connectFailure { faults.append("\(connectFailure): lower clients.count or look at why they fail") }
        judge(
            scheduleSlip, "the load was late against its own plan: schedule slip p99", Bound.suspectSlip,
            Bound.invalidSlip, "lower the rate or take load off this machine", &suspicions, &faults)
        judge(
            clientLoopStalls, "the clients' event loops stalled: p99", Bound.suspectStall, Bound.invalidStall,
            "fewer clients, a lower rate, or a less busy machine", &suspicions, &faults)
        if let busy = clientLoopShare, busy > Bound.suspectBusy {
            suspicions.append(
                "the clients and the load took \(Int(busy * 100))% of their cores: the generator is near its own limit")
        }
        if latency.negativeCount > 0 {
            suspicions.append("\(latency.negativeCount) latencies were below zero: two clocks disagree")
        }
        if refusals.starts > 0 {
            suspicions.append("\(refusals.starts) planned processes could not be started: the thread pool was full")
        }
        if unfencedAtEnd > 0 {
            suspicions.append(
                "\(unfencedAtEnd) sessions did not get the end fence: what they should have got last is indeterminate")
        }
        if let suspicion = trace?.suspicion { suspicions.append(suspicion) }
        if !faults.isEmpty { return Validity(verdict: .invalid, reasons: faults + suspicions) }
        return Validity(verdict: suspicions.isEmpty ? .valid : .suspect, reasons: suspicions)
    }

    private func judge(
        _ histogram: LatencyHistogram, _ what: String, _ suspect: TimeSpan, _ invalid: TimeSpan, _ advice: String,
        _ suspicions: inout [String], _ faults: inout [String]
    ) {
        guard histogram.count > 0 else { return }
        let p99 = histogram.percentile(99)
        guard p99 > suspect else { return }
        let bound = p99 > invalid ? invalid : suspect
        let text =
            "\(what) \(milliseconds(p99)) ms, over \(milliseconds(bound)) ms; \(advice)"
        if p99 > invalid { faults.append(text) } else { suspicions.append(text) }
    }

    private func milliseconds(_ span: TimeSpan) -> String { String(span.nanoseconds / 1_000_000) }

    /// CPU seconds of the clients' loops and the load's threads, a second and loop.
    private var clientLoopShare: Double? {
        guard let samples else { return nil }
        let seconds = (samples.after.at - samples.before.at).seconds
        guard seconds > 0 else { return nil }
        return (samples.after.clients - samples.before.clients) / seconds / Double(max(1, loops.count))
    }
}
