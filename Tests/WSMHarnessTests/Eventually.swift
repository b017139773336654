import Testing
import WSMCore

/// Waits until `condition` holds, and records what was waited for when it does not within half a minute.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = MonotonicInstant.now() + .seconds(30)
    while try await !condition() {
        guard .now() < deadline else {
            Issue.record("waited in vain for: \(what)", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
