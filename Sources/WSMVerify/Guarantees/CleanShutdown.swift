import WSMCore
import WSMRecord

/// `clean-shutdown`: each client gets exactly one close 1001; then no client, subscription or queued item is left.
extension Settler {
    /// Going away (RFC 6455, section 7.4.1): what `disconnect_all` closes with.
    private static let goingAway: UInt16 = 1001

    func cleanShutdown() -> GuaranteeOutcome {
        guard let shutdown = context.shutdown else {
            return GuaranteeOutcome(id: .cleanShutdown, checked: 0, violations: 0, witness: nil)
        }
        let connected = loops.flatMap { $0.sessions }.filter { isOpen($0, at: shutdown.at) }
        let wrong = connected.filter { $0.end != .closedByServer(code: Settler.goingAway) }
        let left = shutdown.leftovers.filter { $0.queued > 0 }
        let client = wrong.min { $0.client < $1.client }.map { session in
            "client \(session.client) (instance \(session.instance)) was connected when the instances stopped, and "
                + howItEnded(session)
        }
        let words = left.first.map { leftover in
            "instance \(leftover.instance) left \(leftover.queued) queued updates behind"
        }
        let counts = [
            (shutdown.subscriptions, "the broker still had \(shutdown.subscriptions) subscriptions afterwards"),
            (Int(shutdown.repeatedCloses), "clients got \(shutdown.repeatedCloses) close frames after their first"),
        ].filter { $0.0 > 0 }
        return GuaranteeOutcome(
            id: .cleanShutdown, checked: Int64(connected.count + shutdown.leftovers.count),
            violations: Int64(wrong.count + left.count + counts.reduce(0) { $0 + $1.0 }),
            witness: client ?? words ?? counts.first?.1)
    }

    private func isOpen(_ session: ObservedSession, at instant: MonotonicInstant) -> Bool {
        session.attemptedAt < instant && session.closedAt.map { $0 >= instant } ?? true
    }

    private func howItEnded(_ session: ObservedSession) -> String {
        switch session.end {
        case .closedByServer(let code)?: "got close code \(code), not \(Settler.goingAway)"
        case .dropped?: "lost its connection without a close frame"
        case .protocolError?: "ended it, since the server broke the protocol"
        case .churned?: "had left by itself"
        case .runEnded?, nil: "was never closed"
        }
    }
}
