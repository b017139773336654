import WSMCore

/// Lets so many run at a time.
actor Turn {
    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func take<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        if places > 0 { places -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
        defer {
            // The place goes straight to the next one.
            if waiting.isEmpty { places += 1 } else { waiting.removeFirst().resume() }
        }
        return try await body()
    }
}

/// Runs what computes for long on a thread of its own, one after the other, so that the live runs beside it get their turns
/// on Swift's cooperative threads.
enum Aside {
    private static let turn = Turn(places: 1)

    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await turn.take {
            try await withCheckedThrowingContinuation { continuation in
                _ = DedicatedThread(name: "planted") { continuation.resume(with: .init(catching: body)) }
            }
        }
    }
}
