internal import WSMCore
internal import WSMRecord

/// What was read of a trace, in numbers.
package struct TraceSummary: Codable, Hashable, Sendable {
    /// Events by kind; kinds without any are left out.
    package var events: [String: Int] = [:]
    package var chunks = 0
    /// The first and the last instant of an event, ns of the run's monotonic clock; `nil` without events.
    package var firstAt: Int64?
    package var lastAt: Int64?
    /// Messages that were submitted, fences too.
    package var messages = 0
    package var sessions = 0
    /// Messages that clients received, also those without a stamp of the run.
    package var receipts = 0
    /// Events that were dropped while the run was on.
    package var dropped = 0

    package init() {}

    package var eventCount: Int { events.values.reduce(0, +) }

    mutating func note(_ chunk: TraceChunk, _ tally: TraceTally) {
        chunks += 1
        for kind in TraceEventKind.allCases where tally.counts[kind.rawValue] > 0 {
            events[kind.name, default: 0] += tally.counts[kind.rawValue]
        }
        if tally.first <= tally.last {
            firstAt = min(firstAt ?? .max, tally.first)
            lastAt = max(lastAt ?? .min, tally.last)
        }
        messages += tally.counts[TraceEventKind.submitted.rawValue]
        sessions += tally.counts[TraceEventKind.opened.rawValue]
        receipts += tally.counts[TraceEventKind.received.rawValue] + tally.counts[TraceEventKind.foreign.rawValue]
    }
}

/// The kinds of events by their names in exports and counts.
package enum TraceEventKind: Int, CaseIterable, Sendable {
    case received, foreign, opened, stalled, resumed, closed, connectFailed, measuring, fault, submitted, published,
        acknowledged, failed
    case fannedOut, instance

    package var name: String {
        switch self {
        case .received: "received"
        case .foreign: "foreign"
        case .opened: "opened"
        case .stalled: "stalled"
        case .resumed: "resumed"
        case .closed: "closed"
        case .connectFailed: "connect-failed"
        case .measuring: "measuring"
        case .fault: "fault"
        case .submitted: "submitted"
        case .published: "published"
        case .acknowledged: "acknowledged"
        case .failed: "failed"
        case .fannedOut: "fanned-out"
        case .instance: "instance"
        }
    }
}

/// The counts of one chunk.
struct TraceTally {
    var counts = [Int](repeating: 0, count: TraceEventKind.allCases.count)
    var first = Int64.max
    var last = Int64.min

    mutating func note(_ kind: TraceEventKind, at instant: Int64?) {
        counts[kind.rawValue] += 1
        guard let instant else { return }
        if instant < first { first = instant }
        if instant > last { last = instant }
    }

    /// Counts an event; a definition is none.
    mutating func note(_ event: TraceEvent) {
        switch event {
        case .defined: break
        case .received(_, _, let at): note(.received, at: at.nanoseconds)
        case .foreign(let receipt): note(.foreign, at: receipt.at.nanoseconds)
        case .opened(let session): note(.opened, at: session.openedAt.nanoseconds)
        case .stalled(_, let at): note(.stalled, at: at.nanoseconds)
        case .resumed(_, let at): note(.resumed, at: at.nanoseconds)
        case .closed(_, _, let at): note(.closed, at: at.nanoseconds)
        case .connectFailed(_, _, let at): note(.connectFailed, at: at.nanoseconds)
        // It tells of an instant to come, not of one at which something happened.
        case .measuring: note(.measuring, at: nil)
        case .fault(.expected): note(.fault, at: nil)
        case .fault(.began(_, let at)), .fault(.healed(_, let at)): note(.fault, at: at.nanoseconds)
        case .submitted(let message): note(.submitted, at: message.sent.nanoseconds)
        case .published(_, let at, _, _): note(.published, at: at.nanoseconds)
        case .acknowledged(_, let at): note(.acknowledged, at: at.nanoseconds)
        case .failed(_, _, let at): note(.failed, at: at.nanoseconds)
        case .fannedOut(let message): note(.fannedOut, at: message.writtenAt.nanoseconds)
        case .happened(_, _, _, let at): note(.instance, at: at.nanoseconds)
        }
    }
}
