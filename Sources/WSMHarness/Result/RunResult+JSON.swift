package import Foundation

extension RunResult {
    /// The bytes of `result.json`: sorted keys, two spaces, a line feed at the end; the same for the same result.
    ///
    /// A number that is not finite cannot be written and throws: such a number is a fault of whoever computed it.
    package func json() throws -> Data {
        try documentJSON()
    }

    /// Reads a stored result.
    package init(json data: Data) throws {
        let stored: RunResult
        do {
            stored = try JSONDecoder().decode(RunResult.self, from: data)
        } catch {
            throw HarnessError(.invalidData, "this is not the result of a run", cause: error)
        }
        guard stored.schema == RunResult.schemaName else {
            throw HarnessError(
                .invalidData, "the result's schema is \(stored.schema), and this program reads \(RunResult.schemaName)")
        }
        self = stored
    }
}
