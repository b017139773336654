import WSMCore

/// When clients of an instance read slowly or not at all, as one event loop saw it: planned slow readers while they are
/// connected, and stalled clients until they have caught up.
package struct Sickness: Sendable {
    /// One client's time.
    package struct Spell: Hashable, Sendable {
        package let client: UInt32
        package let instance: UInt16
        let from: Int64
        /// The greatest number as long as it lasts.
        var until = Int64.max

        func overlaps(_ other: ClosedRange<Int64>) -> Bool { from <= other.upperBound && other.lowerBound <= until }
    }

    /// At most so many spells are kept apart; what comes later prolongs the last one of its instance.
    static let limit = 4096

    package private(set) var spells: [Spell] = []
    private var open: [Int: Int] = [:]
    /// Sessions that have been stalled: whether the plan makes them slow anyway, and when they read again.
    private var stalled: [Int: (isSlow: Bool, resumedAt: Int64?)] = [:]

    mutating func begin(session: Int, client: UInt32, instance: UInt16, at instant: MonotonicInstant) {
        guard open[session] == nil else { return }
        guard spells.count < Self.limit else {
            // The end of a spell that several share is not known.
            if let last = spells.lastIndex(where: { $0.instance == instance }) { spells[last].until = .max }
            return
        }
        open[session] = spells.count
        spells.append(Spell(client: client, instance: instance, from: instant.nanoseconds))
    }

    mutating func end(session: Int, at instant: MonotonicInstant) {
        stalled[session] = nil
        guard let index = open.removeValue(forKey: session) else { return }
        spells[index].until = instant.nanoseconds
    }

    /// The session's client stops reading; `isSlow`: it is a slow reader by plan.
    mutating func stall(
        session: Int, client: UInt32, instance: UInt16, isSlow: Bool, at instant: MonotonicInstant
    ) {
        stalled[session] = (stalled[session]?.isSlow ?? isSlow, nil)
        begin(session: session, client: client, instance: instance, at: instant)
    }

    /// The session's client reads again; returns whether it is a slow reader by plan.
    mutating func resume(session: Int, at instant: MonotonicInstant) -> Bool {
        guard let known = stalled[session] else { return false }
        stalled[session]?.resumedAt = instant.nanoseconds
        return known.isSlow
    }

    /// Whether something published at `published` shows that the session has caught up.
    func hasCaughtUp(session: Int, published: MonotonicInstant) -> Bool {
        guard let resumedAt = stalled[session]?.resumedAt else { return true }
        return published.nanoseconds >= resumedAt
    }
}

/// When healthy clients of one instance got something too late: times from a message's readiness to its receipt, those that
/// overlap taken together.
struct LateTimes: Sendable {
    struct Time: Sendable {
        var span: ClosedRange<Int64>
        var count: Int64
        /// The first of its receipts.
        var first: Sighting
    }

    /// At most so many are kept apart; what comes later is taken to the last.
    static let limit = 256

    private(set) var times: [Time] = []

    mutating func note(_ span: ClosedRange<Int64>, _ sighting: Sighting) {
        guard var last = times.last, last.span.overlaps(span) || times.count == Self.limit else {
            times.append(Time(span: span, count: 1, first: sighting))
            return
        }
        last.span =
            min(last.span.lowerBound, span.lowerBound)...max(last.span.upperBound, span.upperBound)
        last.count += 1
        times[times.count - 1] = last
    }
}
