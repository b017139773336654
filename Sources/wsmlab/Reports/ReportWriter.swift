import Foundation
import WSMHarness
import WSMReport

/// Writes reports where the flags say.
enum ReportWriter {
    /// Writes all of them, also after one that could not be written.
    ///
    /// - Throws: ``HarnessError`` with `outputNotWritable`, which names each file that could not be written and how to write it
    ///   again: the runs themselves are stored.
    static func write(_ runs: [ReportedRun], _ requests: [ReportRequest]) throws {
        var failures: [String] = []
        for request in requests {
            let text = request.format.text(runs)
            if request.path == ReportRequest.standardOutput {
                Output.standard.write(text)
            } else if let reason = write(text, to: request.path) {
                failures.append("cannot write --\(request.format.rawValue) \(request.path): \(reason)")
            }
        }
        guard !failures.isEmpty else { return }
        let folders = runs.compactMap(\.folder).joined(separator: " ")
        throw HarnessError(
            .outputNotWritable,
            failures.joined(separator: "; ") + "; the runs are stored, so name another file: wsmlab report \(folders) …"
        )
    }

    /// Writes a page; `-` is stdout.
    static func write(_ page: String, html path: String) throws {
        if path == ReportRequest.standardOutput { return Output.standard.write(page) }
        guard let reason = write(page, to: path) else { return }
        throw HarnessError(.outputNotWritable, "cannot write --html \(path): \(reason); name another file")
    }

    /// Writes a file, with the folders above it; returns why it could not.
    ///
    /// The file keeps its place (no rename), since it may be a pipe or a device. GitHub's file for the summary of a step is
    /// appended to: other commands of the step write into it as well.
    private static func write(_ text: String, to path: String) -> String? {
        // A socket cannot be opened by its name: these two are written to as they are.
        if let stream = ["/dev/stdout": Output.standard, "/dev/stderr": Output.errors][path] {
            stream.write(text)
            return nil
        }
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let isShared = path == ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"] || path.hasPrefix("/dev/")
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (isShared ? O_APPEND : O_TRUNC), 0o644)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        } catch {
            return (error as NSError).localizedDescription
        }
        return nil
    }
}
