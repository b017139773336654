import Foundation
import WSMHarness
import WSMReport

/// Writes `report.html` into a folder that holds the result already.
enum HTMLFile {
    static let name = "report.html"

    /// The page of a run, beside its result.
    static func write(runIn folder: String) {
        write(into: folder) { HTMLReport.text(try RunRecords.read(folder: folder)) }
    }

    /// The page of a comparison, with the curves of its runs.
    static func write(_ result: CompareResult, into folder: String) {
        var records: [String: RunRecords] = [:]
        for variant in result.variants {
            let runs = variant.folders.compactMap { path in
                try? RunRecords.read(
                    folder: path.hasPrefix("/") ? path : (folder as NSString).appendingPathComponent(path))
            }
            records[variant.name] = RunRecords.merged(runs)
        }
        write(into: folder) { HTMLReport.text(result, records: records) }
    }

    /// Writes the page that `make` makes; a failure is said on stderr and costs nothing but the page.
    static func write(into folder: String, _ make: () throws -> String) {
        let path = (folder as NSString).appendingPathComponent(name)
        do {
            try Data(try make().utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            let reason = (error as? HarnessError)?.message ?? (error as NSError).localizedDescription
            Output.errors.write(
                "wsmlab: cannot write \(Output.printable(path)): \(Output.printable(reason)); the result itself is "
                    + "stored\n")
        }
    }
}
