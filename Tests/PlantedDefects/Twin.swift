import Testing

/// Where a defect is planted.
enum Layer: String, CaseIterable, Sendable {
    /// Streams of receipts made by hand: no I/O, no managers.
    case stream
    /// The managers' own state machines in virtual time.
    case manager
    /// Whole runs in which a relay stands between the clients and the instances, or the instances and Redis.
    case relay
    /// Whole runs of live instances whose policies are the reference's.
    case live

    var title: String {
        switch self {
        case .stream: "Streams of receipts"
        case .manager: "The managers' machines"
        case .relay: "Relays on real sockets"
        case .live: "Live instances"
        }
    }
}

/// A run with a defect planted in it (or with none: the clean twin): a row of the matrix.
struct Twin: Sendable, CustomTestStringConvertible {
    let layer: Layer
    let name: String
    let seeds: ClosedRange<UInt64>
    let run: @Sendable (UInt64) async throws -> Trial

    init(
        _ layer: Layer, _ name: String, seeds: ClosedRange<UInt64>,
        run: @escaping @Sendable (UInt64) async throws -> Trial
    ) {
        self.layer = layer
        self.name = name
        self.seeds = seeds
        self.run = run
    }

    var id: String { "\(layer.rawValue): \(name)" }
    var testDescription: String { id }

    static let all = StreamDefect.twins + ManagerDefect.twins + RelayDefect.twins + LiveDefect.twins
}

/// Runs each twin once, however many tests ask for it.
actor Trials {
    static let shared = Trials()

    private var runs: [String: Task<[Trial], any Error>] = [:]

    /// The twin's trials, one a seed.
    func of(_ twin: Twin) async throws -> [Trial] {
        if let known = runs[twin.id] { return try await known.value }
        let task = Task {
            var trials: [Trial] = []
            for seed in twin.seeds { trials.append(try await twin.run(seed)) }
            return trials
        }
        runs[twin.id] = task
        return try await task.value
    }
}
