import WSMCore
import WSMRecord
import WSMVerify

/// One trial of the stream layer: four clients on two instances, each with the list of what it will receive, into which a
/// defect is planted before the observers see it.
struct StreamTrial {
    /// A receipt, or the end of a session and the begin of the next.
    enum Event {
        case receipt([UInt8])
        case close(SessionEnd)
        case open
    }

    struct Entry {
        /// In microseconds from the origin.
        var at: Int64
        var event: Event
    }

    static let clients = 4
    /// From a message's publishing to its receipt, in microseconds.
    static let delay: Int64 = 30
    /// Each block of messages is hit by at most one defect, in one client.
    static let block = 32

    let load = StreamLoad.shared
    var random: CounterRNG
    var context: SettlementContext
    var expected = Findings()
    var planted: Int64 = 0
    /// For each client what it receives between its start fence and its end fence, in order.
    var streams: [[Entry]]
    /// What comes before the start fence, and after the end of the session.
    var preludes: [[Entry]]
    var epilogues: [[Entry]]
    var endFences: [Bool]
    /// How each client's last session ends.
    var ends: [SessionEnd]
    /// Clients that read slowly on purpose.
    var slowClients: Set<Int> = []
    /// For each client the messages at which a defect is planted; the first of a group of eight.
    private(set) var hits: [[Int]]

    init(seed: UInt64) {
        random = CounterRNG(seed: seed, stream: .faults, entity: 1)
        context = SettlementContext(
            manager: .broadcast, runStart: StreamLoad.at(0), measuredFrom: StreamLoad.at(0))
        let receipts = load.messages.map { Entry(at: $0.publishedAt + Self.delay, event: .receipt($0.bytes)) }
        streams = Array(repeating: receipts, count: Self.clients)
        preludes = Array(repeating: [], count: Self.clients)
        epilogues = preludes
        endFences = Array(repeating: true, count: Self.clients)
        ends = Array(repeating: .runEnded, count: Self.clients)
        // The first and the last two blocks stay whole, so that no defect lies at an end unless it is meant to.
        var blocks = Array(1..<(StreamLoad.count / Self.block - 2))
        hits = []
        for _ in 0..<Self.clients {
            let count = 1 + random.below(3)
            hits.append(
                (0..<count).map { _ in
                    blocks.remove(at: random.below(blocks.count)) * Self.block + 8 * random.below(2)
                })
        }
    }

    /// Calls `plant` for each hit of each client, the latest first, so that earlier places in the streams stay.
    mutating func forEachHit(_ plant: (inout StreamTrial, _ client: Int, _ index: Int) -> Void) {
        for client in streams.indices {
            for hit in hits[client].sorted(by: >) { plant(&self, client, hit) }
        }
    }

    var totalHits: Int64 { hits.reduce(0) { $0 + Int64($1.count) } }

    static func instance(of client: Int) -> UInt16 { UInt16(client % 2) }

    /// Lets the observers see the streams, and settles.
    func finish() throws -> Trial {
        let observers = (0..<2).map { _ in
            DeliveryObserver(
                run: StreamLoad.run, publisherCount: StreamLoad.publishers + 1, channel: 0,
                measuredFrom: context.measuredFrom, bounds: context.bounds)
        }
        for client in streams.indices {
            play(client, to: observers[client / 2])
        }
        let settlement = try settle(
            loops: observers.map { $0.snapshot() }, history: load.history, context: context)
        return Trial(planted: planted, expected: expected, settlement)
    }

    private func play(_ client: Int, to observer: DeliveryObserver) {
        var session: Int? = open(client, observer, at: 0)
        let start = Entry(at: load.startFence.publishedAt + Self.delay, event: .receipt(load.startFence.bytes))
        let end = Entry(at: load.endFence.publishedAt + Self.delay, event: .receipt(load.endFence.bytes))
        let entries = preludes[client] + [start] + streams[client] + (endFences[client] ? [end] : [])
        for entry in entries { play(entry, client, &session, observer) }
        if let session { observer.sessionClosed(session: session, end: ends[client], at: StreamLoad.endOfRun) }
        for entry in epilogues[client] { play(entry, client, &session, observer) }
    }

    private func play(_ entry: Entry, _ client: Int, _ session: inout Int?, _ observer: DeliveryObserver) {
        switch entry.event {
        case .receipt(let bytes):
            guard let session else { return }
            bytes.withUnsafeBytes { observer.received(session: session, message: $0, at: StreamLoad.at(entry.at)) }
        case .close(let end):
            if let open = session { observer.sessionClosed(session: open, end: end, at: StreamLoad.at(entry.at)) }
            session = nil
        case .open: session = open(client, observer, at: entry.at)
        }
    }

    private func open(_ client: Int, _ observer: DeliveryObserver, at: Int64) -> Int {
        observer.sessionOpened(
            client: UInt32(client), instance: Self.instance(of: client),
            slowReader: slowClients.contains(client),
            attemptedAt: StreamLoad.at(at), openedAt: StreamLoad.at(at + 1))
    }
}
