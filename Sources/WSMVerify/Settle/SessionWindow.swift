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
    /// All that was confirmed before that must have come first; where there is no one order, it lies earlier by the context's
    /// `spread`. The least instant when nothing arrived.
    let heard: Int64
    /// As `heard`, or the end of the load where it was deaf until then, or the instant at which the slow-client policy
    /// disconnected it, when that is later.
    let until: Int64
    /// Whether it was open and silent to the end: what is missing between `heard` and `until` never came.
    let isDeaf: Bool

    init(_ session: ObservedSession, context: SettlementContext) {
        attempted = session.attemptedAt.nanoseconds
        closed = session.closedAt?.nanoseconds ?? .max
        guard let first = session.firstReceipt, let latest = session.latestPublished else {
            from = .max
            heard = .min
            until = .min
            isDeaf = false
            return
        }
        from = first.nanoseconds
        heard = min(latest.nanoseconds - (context.spread ?? .zero).nanoseconds, closed)
        if let end = context.endOfLoad, SessionWindow.isDeaf(session, end), end.fencedFrom > latest {
            isDeaf = true
            until = min(end.fencedFrom.nanoseconds, closed)
        } else {
            isDeaf = false
            let evicted = SessionWindow.eviction(of: session, context: context)
            until = max(heard, min(evicted ?? .min, closed))
        }
    }

    /// Whether it was open and silent until the run had waited for the fences after the load in vain.
    ///
    /// A slow reader may still have them before it, so nothing is certain of it.
    private static func isDeaf(_ session: ObservedSession, _ end: SettlementContext.EndOfLoad) -> Bool {
        guard !session.slowReader else { return false }
        return session.closedAt.map { $0 >= end.waitedUntil } ?? true
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
    let client: UInt32
    /// Whether the plan ended the session before it.
    let isPlanned: Bool
    /// From the end of one session, or the first failed try to connect.
    let from: Int64
    /// To just before the next try that came to a session.
    let until: Int64

    /// The gaps of all clients: between their sessions, from a first try that failed, and after a session that ended
    /// otherwise than by the end of the run.
    static func all(in loops: [LoopRecord], _ context: SettlementContext) -> [OfflineGap] {
        // One flat list: there may be millions of sessions.
        var presences: [Presence] = []
        presences.reserveCapacity(loops.reduce(0) { $0 + $1.sessions.count + $1.connectFailures.count })
        for loop in loops {
            for session in loop.sessions {
                let isLast = session.end == .runEnded || isShutdown(session, context)
                presences.append(
                    Presence(
                        client: session.client, channel: loop.channel, from: session.attemptedAt.nanoseconds,
                        until: session.closedAt?.nanoseconds ?? .max, isLast: isLast,
                        isPlanned: session.end == .churned))
            }
            for (client, failures) in loop.connectFailures {
                let instant = failures.first.nanoseconds
                presences.append(
                    Presence(
                        client: client, channel: loop.channel, from: instant, until: instant, isLast: false,
                        isPlanned: false))
            }
        }
        presences.sort { ($0.client, $0.from, $0.until) < ($1.client, $1.from, $1.until) }
        var gaps: [OfflineGap] = []
        var rest = presences[...]
        while let first = rest.first {
            let own = rest.prefix { $0.client == first.client }
            addGaps(between: own, to: &gaps)
            rest = rest.dropFirst(own.count)
        }
        return gaps
    }

    /// Whether the instances' stop ended it.
    private static func isShutdown(_ session: ObservedSession, _ context: SettlementContext) -> Bool {
        guard let shutdown = context.shutdown, let closed = session.closedAt else { return false }
        return closed >= shutdown.at
    }

    private struct Presence {
        let client: UInt32
        let channel: UInt8
        let from: Int64
        let until: Int64
        let isLast: Bool
        let isPlanned: Bool
    }

    /// - Parameter presences: Those of one client, in their order.
    private static func addGaps(between presences: ArraySlice<Presence>, to gaps: inout [OfflineGap]) {
        guard var latest = presences.first else { return }
        func add(until: Int64) {
            gaps.append(
                OfflineGap(
                    channel: latest.channel, client: latest.client, isPlanned: latest.isPlanned, from: latest.until + 1,
                    until: until))
        }
        for presence in presences.dropFirst() {
            if presence.from > latest.until { add(until: presence.from - 1) }
            if presence.until >= latest.until { latest = presence }
        }
        if latest.until < .max, !latest.isLast { add(until: .max) }
    }
}
