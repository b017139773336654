import WSMCore
import WSMRecord

/// What the clients of one event loop heard before, during and after each fault.
///
/// A client has one ear, whatever sessions it has; an ear has 32 bytes a fault. Only messages of the load count: a fence is
/// heard also where nothing more is sent.
struct FaultListening: Sendable {
    /// At most so many records are kept, over all faults; later faults have none, and so no blackout.
    static let recordLimit = 1 << 21
    /// At most so many faults are listened to at a time; the oldest is let go.
    static let activeLimit = 8

    /// What is known of one client at any time.
    struct Ear: Sendable {
        let client: UInt32
        /// When it last received something, and when that had been published; 0 before.
        var lastAt: Int64 = 0
        var lastPublished: Int64 = 0
    }

    /// What one client heard of one fault on.
    struct Hearing: Sendable {
        /// The longest silence from the fault on, until it heard something that was published after the healing.
        var silentFrom: Int64
        var silentUntil: Int64
        /// When it heard that; 0 as long as it has not.
        var heardAgain: Int64 = 0
        /// Whether it had heard anything before the fault.
        var hadHeard: Bool
    }

    /// One fault.
    struct Record: Sendable {
        let began: Int64
        var healed = Int64.max
        /// By the numbers of the ears that there were.
        var hearings: ContiguousArray<Hearing> = []
        var waiting = 0
    }

    private(set) var ears: ContiguousArray<Ear> = []
    /// By their numbers; a fault that was not told of has none.
    private(set) var faults: [Int: Record] = [:]
    private var earOfClient: [UInt32: UInt32] = [:]
    /// By the sessions' numbers.
    private var earOfSession: ContiguousArray<UInt32> = []
    /// The faults that some client has not yet recovered from, the oldest first.
    private var active: ContiguousArray<Int> = []
    private var records = 0

    /// - Parameter sessions: Those that there are already.
    init(_ sessions: ContiguousArray<ObservedSession>) {
        for session in sessions { opened(client: session.client) }
    }

    /// The next session has begun.
    mutating func opened(client: UInt32) {
        if let known = earOfClient[client] { return earOfSession.append(known) }
        let ear = UInt32(ears.count)
        ears.append(Ear(client: client))
        earOfClient[client] = ear
        earOfSession.append(ear)
    }

    mutating func tell(_ mark: FaultMark) {
        switch mark {
        case .expected: break
        case .began(let fault, let at): began(Int(fault), at: at.nanoseconds)
        case .healed(let fault, let at): healed(Int(fault), at: at.nanoseconds)
        }
    }

    private mutating func began(_ fault: Int, at: Int64) {
        guard faults[fault] == nil else { return }
        var record = Record(began: at)
        if records + ears.count <= Self.recordLimit {
            records += ears.count
            record.hearings = ContiguousArray(
                ears.map { Hearing(silentFrom: $0.lastAt, silentUntil: $0.lastAt, hadHeard: $0.lastAt != 0) })
            record.waiting = ears.count
            if active.count == Self.activeLimit { active.removeFirst() }
            active.append(fault)
        }
        faults[fault] = record
    }

    private mutating func healed(_ fault: Int, at: Int64) {
        guard faults[fault]?.healed == .max else { return }
        faults[fault]?.healed = at
        // What came between the healing and the word of it.
        for ear in ears.indices where ears[ear].lastPublished >= at { heardAgain(ear, of: fault, at: ears[ear].lastAt) }
    }

    /// A session has received a message of the load that was published at `published`.
    mutating func received(session: Int, published: MonotonicInstant, at: MonotonicInstant) {
        let ear = Int(earOfSession[session])
        if !active.isEmpty { listen(ear, published: published.nanoseconds, at: at.nanoseconds) }
        ears[ear].lastAt = at.nanoseconds
        ears[ear].lastPublished = published.nanoseconds
    }

    /// Sessions have received a message of the load that was published at `published`, each one.
    mutating func received(_ receipts: UnsafeBufferPointer<StampedReceipt>, published: MonotonicInstant) {
        guard active.isEmpty else {
            for receipt in receipts { received(session: Int(receipt.session), published: published, at: receipt.at) }
            return
        }
        let earOfSession = earOfSession
        ears.withUnsafeMutableBufferPointer { ears in
            for receipt in receipts {
                let ear = Int(earOfSession[Int(receipt.session)])
                ears[ear].lastAt = receipt.at.nanoseconds
                ears[ear].lastPublished = published.nanoseconds
            }
        }
    }

    @inline(never)
    private mutating func listen(_ ear: Int, published: Int64, at: Int64) {
        let last = ears[ear].lastAt
        for fault in active {
            guard var hearing = hearing(of: ear, fault), hearing.heardAgain == 0 else { continue }
            if last != 0, at - last > hearing.silentUntil - hearing.silentFrom {
                hearing.silentFrom = last
                hearing.silentUntil = at
                faults[fault]?.hearings[ear] = hearing
            }
            if published >= faults[fault]?.healed ?? .max { heardAgain(ear, of: fault, at: at) }
        }
    }

    /// `nil` for a client that came after the fault had begun.
    private func hearing(of ear: Int, _ fault: Int) -> Hearing? {
        guard let hearings = faults[fault]?.hearings, ear < hearings.count else { return nil }
        return hearings[ear]
    }

    private mutating func heardAgain(_ ear: Int, of fault: Int, at: Int64) {
        guard let known = hearing(of: ear, fault), known.heardAgain == 0 else { return }
        faults[fault]?.hearings[ear].heardAgain = at
        faults[fault]?.waiting -= 1
        if faults[fault]?.waiting == 0 { active.removeAll { $0 == fault } }
    }
}
