internal import Foundation

/// The `result.json` of a run on disk.
package enum StoredResult {
    /// Reads the result of a run folder.
    ///
    /// - Throws: ``HarnessError`` with `invalidData`, which names the file, when there is none or it cannot be read.
    package static func read(folder: String) throws -> RunResult {
        try read(file: (folder as NSString).appendingPathComponent(RunFolder.resultName))
    }

    /// Reads a result's file.
    package static func read(file: String) throws -> RunResult {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw HarnessError(.invalidData, "cannot read \(file): name a run folder, for example Results/latest")
        }
        do {
            return try RunResult(json: data)
        } catch let error as HarnessError {
            throw HarnessError(error.code, "\(file): \(error.message)", cause: error.cause)
        }
    }
}
