package import WSMCore
package import WSMRecord

/// What one event loop keeps of a session: 64 bytes, however long it lasts and however many publishers there are.
///
/// What it received is a slice of the channel's order, from `first` to before `next`; a session that departs from the order
/// has a ``Departure`` beside it as long as the run lasts.
package struct ObservedSession: Sendable {
    /// Client 32 bits, instance 16, whether it is catching up 1, how it ended 14, slow reader 1.
    private var identity: UInt64
    package let attemptedAt: MonotonicInstant
    private var closed = MonotonicInstant(nanoseconds: 0)
    private var firstReceived = MonotonicInstant(nanoseconds: 0)
    private var lastPublished = MonotonicInstant(nanoseconds: 0)
    /// Its slice of the order; `next` is ``nothing`` as long as it has received nothing.
    var first = ObservedSession.nothing
    var next = ObservedSession.nothing
    /// The place of the latest message received.
    var last = ObservedSession.nothing
    /// The index of its departure in the ledger, or ``nothing``.
    var departure = ObservedSession.nothing
    /// Distinct messages received: all, and the measured ones.
    var received: UInt32 = 0
    package internal(set) var measured: UInt32 = 0

    static let nothing = UInt32.max

    init(client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant) {
        identity = UInt64(client) << 32 | UInt64(instance) << 16 | (slowReader ? 1 : 0)
        self.attemptedAt = attemptedAt
    }

    package var client: UInt32 { UInt32(identity >> 32) }
    package var instance: UInt16 { UInt16(truncatingIfNeeded: identity >> 16) }
    /// Whether the scenario makes its client read slowly, or not at all at present.
    package internal(set) var slowReader: Bool {
        get { identity & 1 == 1 }
        set { identity = identity & ~1 | (newValue ? 1 : 0) }
    }
    /// Whether its client reads again after a stall, and has got nothing yet that was published since.
    var isCatchingUp: Bool {
        get { identity & 0x8000 != 0 }
        set { identity = identity & ~0x8000 | (newValue ? 0x8000 : 0) }
    }
    /// `nil` as long as it is open.
    package var closedAt: MonotonicInstant? { endCode == 0 ? nil : closed }
    /// When the first message or fence of this run came: from here on the session was certainly subscribed.
    package var firstReceipt: MonotonicInstant? { firstReceived.nanoseconds == 0 ? nil : firstReceived }
    /// The latest instant of publishing among the messages and fences received: the session was certainly there then.
    package var latestPublished: MonotonicInstant? { firstReceived.nanoseconds == 0 ? nil : lastPublished }
    /// How it ended; the text of a broken protocol is not kept.
    package var end: SessionEnd? { EndCode.end(of: endCode) }

    /// Whether its client is slow, stalled or catching up.
    var isSick: Bool { slowReader || isCatchingUp }

    /// Whether it is open on this instance, and its client is not sick.
    func isWell(on instance: UInt16) -> Bool { UInt32(truncatingIfNeeded: identity) == UInt32(instance) << 16 }

    var hasReceived: Bool { next != ObservedSession.nothing }
    /// Its slice of the order, holes included.
    var slice: Range<Int> { hasReceived ? Int(first)..<Int(next) : 0..<0 }

    private var endCode: UInt16 { UInt16(truncatingIfNeeded: identity >> 1) & 0x3fff }

    mutating func close(_ end: SessionEnd, at instant: MonotonicInstant) {
        identity = identity & ~(0x3fff << 1) | UInt64(EndCode.code(of: end)) << 1
        closed = instant
    }

    /// Notes a receipt of something published at `published`.
    mutating func noteCertainty(_ published: MonotonicInstant, at instant: MonotonicInstant) {
        if firstReceived.nanoseconds == 0 {
            firstReceived = instant
            lastPublished = published
        } else if published > lastPublished {
            lastPublished = published
        }
    }

    /// How sessions end, in 14 bits: close codes as they are (RFC 6455, section 7.4: below 5000), the others below them.
    private enum EndCode {
        private static let highest: UInt16 = 0x3fff

        static func code(of end: SessionEnd) -> UInt16 {
            switch end {
            case .runEnded: 1
            case .churned: 2
            case .dropped: 3
            case .protocolError: 4
            case .closedByServer(let code): min(max(code, 5), highest)
            }
        }

        static func end(of code: UInt16) -> SessionEnd? {
            switch code {
            case 0: nil
            case 1: .runEnded
            case 2: .churned
            case 3: .dropped
            case 4: .protocolError("")
            default: .closedByServer(code: code)
            }
        }
    }
}

/// What a session that departed from the order has beside its slice.
struct Departure: Sendable {
    /// The most holes, counted as ranges, that a session may have at once.
    static let holeLimit = 4096

    /// Places of the slice whose messages it has not received.
    var holes = HoleList()
    /// It had more holes than are kept: what it received is counted, and not which.
    var isBlurred = false
    var counts = Counts()
    /// Of the measured messages.
    var measuredCounts = Counts()

    struct Counts: Hashable, Sendable {
        var duplicated: Int64 = 0
        /// Distinct messages that came after a later one of the same publisher.
        var reordered: Int64 = 0
        /// Late messages or duplicates: blurred, nobody can tell which.
        var ambiguous: Int64 = 0
    }
}
