package import WSMHarness

/// The result as a program reads it: the very bytes of `result.json`.
package enum JSONReport {
    package static func text(_ result: RunResult) throws -> String {
        String(decoding: try result.json(), as: UTF8.self)
    }
}
