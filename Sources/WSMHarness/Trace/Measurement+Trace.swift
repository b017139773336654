internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

extension Measurement {
    /// Ends the run's trace with what is known now.
    ///
    /// After the cluster and the fleet have been shut down; the settlement that follows is given the very same context.
    mutating func finishTrace(_ open: RunTrace?) async throws {
        let settlement = makeSettlementContext()
        frozenContext = settlement
        let promised = promises
        let expect = subject.scenario.expect
        let document = TraceEnd(
            durationNanoseconds: measuredSpan.nanoseconds, interrupted: interrupted, context: settlement,
            guarantees: GuaranteeID.allCases.map {
                .init(id: $0, promised: promised.contains($0), expected: expectation(of: $0, expect))
            })
        trace = try await open?.finish(document)
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
}

extension TraceOutcome {
    /// Why the trace is not all of the run, in words and with what to do; `nil` when it is.
    var suspicion: String? {
        if isComplete { return nil }
        if let failure {
            let how = failure.code == .diskFull ? "make room, or write elsewhere with --out" : "look at its disk"
            return
                "the trace ends early and verify cannot reproduce the run: \(failure.message), \(unwritten) events are "
                + "missing; \(how)"
        }
        if dropped > 0 {
            return
                "the trace dropped \(dropped) of \(dropped + events) events, since the disk or the processor was too "
                + "slow for them, so that verify cannot reproduce the run; lower the rate, or write to a faster disk "
                + "with --out"
        }
        return
            "\(unclosedLanes) event loops of the clients did not close their part of the trace, so that verify cannot "
            + "reproduce the run"
    }
}
