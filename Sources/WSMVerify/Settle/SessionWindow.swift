import WSMCore
import WSMRecord

/// During which time a session may have received, and during which it must have.
struct SessionWindow {
    let attempted: Int64
    /// The greatest instant as long as it is open.
    let closed: Int64
    /// It was certainly subscribed from here on, since it had received something.
    ///
    /// The greatest instant when it never did.
    let from: Int64
    /// It was certainly there up to here, since something published then arrived.
    ///
    /// All that was confirmed before that must have come first. The least instant when nothing arrived.
    let until: Int64
    /// As `until`, or the instant at which the slow-client policy disconnected it, when that is later.
    let untilEvicted: Int64

    init(_ session: ObservedSession, context: SettlementContext) {
        attempted = session.attemptedAt.nanoseconds
        closed = session.closedAt?.nanoseconds ?? .max
        guard let first = session.firstReceipt, let latest = session.latestPublished else {
            from = .max
            until = .min
            untilEvicted = .min
            return
        }
        from = first.nanoseconds
        until = min(latest.nanoseconds, closed)
        let evicted = SessionWindow.eviction(of: session, context: context)
        untilEvicted = max(until, min(evicted ?? .min, closed))
    }

    /// When the slow-client policy disconnected the session; `nil` when it did not.
    private static func eviction(of session: ObservedSession, context: SettlementContext) -> Int64? {
        if case .closedByServer(let code) = session.end, code == context.evictionCloseCode {
            return session.closedAt?.nanoseconds
        }
        let closed = session.closedAt ?? MonotonicInstant(nanoseconds: .max)
        let known = context.evictions.filter {
            $0.client == session.client && $0.instance == session.instance && $0.at >= session.attemptedAt
                && $0.at <= closed
        }
        return known.map(\.at.nanoseconds).min()
    }
}

/// A time during which a client had no connection.
struct OfflineGap {
    let channel: UInt8
    /// From the end of one session, or the first failed try to connect.
    let from: Int64
    /// To just before the next try that came to a session.
    let until: Int64

    /// The gaps of all clients: between their sessions, from a first try that failed, and after a session that ended
    /// otherwise than by the end of the run.
    static func all(in loops: [LoopRecord]) -> [OfflineGap] {
        var presences: [UInt32: [Presence]] = [:]
        for loop in loops {
            for session in loop.sessions {
                presences[session.client, default: []].append(
                    Presence(
                        channel: loop.channel, from: session.attemptedAt.nanoseconds,
                        until: session.closedAt?.nanoseconds ?? .max, isLast: session.end == .runEnded))
            }
            for (client, failures) in loop.connectFailures {
                let instant = failures.first.nanoseconds
                presences[client, default: []].append(
                    Presence(channel: loop.channel, from: instant, until: instant, isLast: false))
            }
        }
        return presences.values.flatMap { gaps(between: $0) }
    }

    private struct Presence {
        let channel: UInt8
        let from: Int64
        let until: Int64
        let isLast: Bool
    }

    private static func gaps(between presences: [Presence]) -> [OfflineGap] {
        let inOrder = presences.sorted { ($0.from, $0.until) < ($1.from, $1.until) }
        var gaps: [OfflineGap] = []
        var covered = inOrder[0].until
        var isLast = inOrder[0].isLast
        for presence in inOrder.dropFirst() {
            if presence.from > covered {
                gaps.append(OfflineGap(channel: presence.channel, from: covered + 1, until: presence.from - 1))
            }
            if presence.until >= covered {
                covered = presence.until
                isLast = presence.isLast
            }
        }
        if covered < .max, !isLast {
            gaps.append(OfflineGap(channel: inOrder[0].channel, from: covered + 1, until: .max))
        }
        return gaps
    }
}
