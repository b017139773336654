internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

extension Measurement {
    /// Ends the run's trace with what is known now.
    ///
    /// After the cluster and the fleet have been shut down; the settlement that follows is given the very same context.
    mutating func finishTrace() async throws {
        let settlement = makeSettlementContext()
        frozenContext = settlement
        let promised = promises
        let expect = context.scenario.expect
        let document = TraceEnd(
            durationNanoseconds: measuredSpan.nanoseconds, interrupted: interrupted, context: settlement,
            guarantees: GuaranteeID.allCases.map {
                .init(id: $0, promised: promised.contains($0), expected: expectation(of: $0, expect))
            })
        trace = try await context.trace?.finish(document)
    }

    /// What the scenario itself expects of a guarantee; `nil` when it says nothing of it.
    func expectation(of id: GuaranteeID, _ expect: ExpectSpec) -> GuaranteeResult.Expectation? {
        guard let guarantee = Guarantee(rawValue: id.rawValue), let wanted = expect.guarantees[guarantee] else {
            return nil
        }
        return switch wanted {
        case .holds: .holds
        case .violated: .violated
        case .any: .any
        }
    }

    /// Why the trace is not all of the run; `nil` when it is, or when there is none.
    var traceSuspicion: String? {
        guard let trace, !trace.isComplete else { return nil }
        if let failure = trace.failure {
            let how = failure.code == .diskFull ? "make room, or write elsewhere with --out" : "look at its disk"
            return "the trace ends early, \(trace.unwritten) of its events are missing: \(failure.message); \(how)"
        }
        if trace.dropped > 0 {
            return
                "the trace dropped \(trace.dropped) of \(trace.dropped + trace.events) events, since the disk or the "
                + "processor was too slow for them, so that verify cannot reproduce the run; lower the rate, or write "
                + "to a faster disk with --out"
        }
        return "\(trace.unclosedLanes) event loops of the clients did not close their part of the trace"
    }
}
