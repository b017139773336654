internal import WSMCore
internal import WSMRecord
internal import WSMVerify

/// Checks a stored trace again, offline: the same events, told to the same observers and checkers, settled with the same
/// context.
package enum TraceVerification {
    /// Verifies `stored`; blocks, for as long as it takes to read the trace once.
    ///
    /// A trace that is damaged or has dropped events is no error but a result that says so.
    ///
    /// - Throws: ``HarnessError`` with `invalidData` when there is no trace to speak of, or when the result beside it is
    ///   unreadable or of another run.
    package static func verify(_ stored: StoredRun) throws -> VerifyResult {
        let live = try stored.result()
        var replay = TraceReplay()
        do throws(TraceError) {
            replay.noteDropped(
                try TraceFile.read(stored.tracePath) { (chunk) throws(TraceError) in try replay.take(chunk) })
        } catch {
            return try damaged(stored, replay, error)
        }
        guard let run = replay.run, let end = replay.end else {
            let what = "the run ended before its last document was written"
            let error = TraceError(.cut, offset: 0, chunk: replay.summary.chunks, what)
            return try damaged(stored, replay, error)
        }
        if let live, live.startedAt != run.startedAt || live.name != run.name || live.seed != run.seed {
            throw HarnessError(
                .invalidData,
                "\(stored.resultPath ?? "the result") is of another run (\(live.name), \(live.startedAt)) than the trace "
                    + "(\(run.name), \(run.startedAt)): keep both in the folder of their run")
        }
        var result = VerifyResult(trace: stored.tracePath, run: run, read: replay.summary)
        guard replay.summary.dropped == 0 else {
            result.reason =
                "the trace lacks \(replay.summary.dropped) events that were dropped during the run, so that it cannot "
                + "reproduce the ledger; lower the rate, or write to a faster disk"
            return result
        }
        try settle(replay, end, validity: live?.validity ?? Validity(), &result)
        compare(live, &result)
        return result
    }

    private static func settle(
        _ replay: TraceReplay, _ end: TraceEnd, validity: Validity, _ result: inout VerifyResult
    ) throws {
        let settlement: Settlement
        do {
            settlement = try WSMVerify.settle(loops: replay.loops, history: replay.history, context: end.context)
        } catch {
            throw HarnessError(.invalidData, "the trace's events contradict each other: \(error)", cause: error)
        }
        let expectations = Dictionary(
            end.guarantees.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        result.delivery = DeliveryCounts(
            settlement.delivery, over: TimeSpan(nanoseconds: end.durationNanoseconds))
        result.latency = settlement.stages.latency.summary
        result.latencyFromActualSend = settlement.stages.latencyFromActualSend.summary
        result.latencySlowReaders = settlement.stages.slowReaderLatency.summary
        result.fanOutSkew = settlement.fanOutSkew.summary
        result.faults = settlement.faults
        result.guarantees = settlement.guarantees.map { outcome in
            GuaranteeResult(
                outcome, promised: expectations[outcome.id]?.promised ?? false,
                expected: expectations[outcome.id]?.expected)
        }
        // Thresholds are the live run's business: here the guarantees decide, unless the generator spoiled the run.
        let judgement = RunVerdict.judge(
            validity: validity, delivery: result.delivery ?? DeliveryCounts(), thresholds: [],
            guarantees: result.guarantees, interrupted: false)
        result.verdict = judgement.verdict
        result.exitCode = judgement.exitCode.rawValue
        result.reason = judgement.reason
    }

    private static func compare(_ live: RunResult?, _ result: inout VerifyResult) {
        guard let live else { return }
        result.differences = ResultDifferences.find(live: live, verified: result)
        result.comparison = result.differences.isEmpty ? .same : .different
        guard let first = result.differences.first else { return }
        result.exitCode = ExitCode.internalError.rawValue
        let more = result.differences.count > 1 ? ", and \(result.differences.count - 1) more differ" : ""
        result.reason = "the trace says otherwise than the live run: \(first.path)\(more)"
        if let writer = result.writtenBy, writer != RunEnvironment.programVersion {
            result.reason += "; the run was made by wsmlab \(writer), and this is \(RunEnvironment.programVersion)"
        }
    }

    private static func damaged(
        _ stored: StoredRun, _ replay: TraceReplay, _ error: TraceError
    ) throws -> VerifyResult {
        switch error.code {
        case .unreadable, .empty, .notATrace:
            throw HarnessError(.invalidData, "\(stored.tracePath): \(error.what)")
        case .unknownVersion:
            throw HarnessError(
                .invalidData, "\(stored.tracePath): \(error.what); use the wsmlab that wrote it, or a newer one")
        case .cut, .damaged, .outOfOrder, .impossibleRecord, .trailingBytes: break
        }
        var result = VerifyResult(trace: stored.tracePath, run: replay.run, read: replay.summary)
        result.damage = .init(code: error.code, offset: error.offset, chunk: error.chunk, what: error.what)
        result.exitCode = ExitCode.invalidData.rawValue
        result.reason = "the trace is \(error.code == .cut ? "cut" : "damaged"): \(error)"
        return result
    }
}
