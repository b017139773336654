internal import Foundation

/// A run on disk: its trace, and the result beside it.
package struct StoredRun: Sendable {
    package let tracePath: String
    /// `nil` when there is none.
    package let resultPath: String?

    /// Finds the trace of a run folder, or takes a trace file with what lies beside it.
    ///
    /// - Throws: ``HarnessError`` with `invalidData` when there is no trace.
    package init(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw HarnessError(
                .invalidData, "there is no run at \(path): name a run folder, for example Results/latest, or a trace")
        }
        let folder = isFolder.boolValue ? path : (path as NSString).deletingLastPathComponent
        let trace = isFolder.boolValue ? (path as NSString).appendingPathComponent(RunFolder.traceName) : path
        guard FileManager.default.fileExists(atPath: trace, isDirectory: &isFolder) else {
            throw HarnessError(
                .invalidData,
                "\(path) has no \(RunFolder.traceName): it is not a run folder, or the run was written by an older "
                    + "wsmlab")
        }
        guard !isFolder.boolValue else { throw HarnessError(.invalidData, "\(trace) is a folder, and no trace") }
        tracePath = trace
        let result = (folder as NSString).appendingPathComponent(RunFolder.resultName)
        resultPath = FileManager.default.fileExists(atPath: result) ? result : nil
    }

    /// The stored result; `nil` when there is none.
    func result() throws -> RunResult? {
        try resultPath.map { try StoredResult.read(file: $0) }
    }
}
