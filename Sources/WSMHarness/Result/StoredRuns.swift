internal import Foundation

/// The runs that a folder keeps, for lists and for shells that complete their names.
package enum StoredRuns {
    /// Where runs go that were given no folder.
    package static let standardFolder = "Results/runs"

    /// One folder among the stored runs.
    package struct Entry: Sendable {
        package enum Content: Sendable {
            case run(RunResult)
            /// Many runs, each in a folder below it: `compare`, `capacity` or `gate`.
            case experiment(String)
            /// There is no result to be read; why, as a sentence.
            case damaged(String)
        }

        /// The run folder's path.
        package var folder: String
        package var content: Content
        /// When the run began, ISO 8601 in UTC; of any other folder when it was last changed.
        package var when: String

        package init(folder: String, content: Content, when: String) {
            self.folder = folder
            self.content = content
            self.when = when
        }
    }

    /// All folders under `folder`, the newest run first.
    ///
    /// - Throws: ``HarnessError`` with `invalidData` when there is no such folder.
    package static func list(_ folder: String = standardFolder) throws -> [Entry] {
        let entries = try folders(in: folder).map { path -> Entry in
            if let kind = experiment(path) {
                return Entry(folder: path, content: .experiment(kind), when: changed(path))
            }
            do {
                let result = try StoredResult.read(folder: path)
                return Entry(folder: path, content: .run(result), when: result.startedAt)
            } catch {
                return Entry(folder: path, content: .damaged(reason(path, error)), when: changed(path))
            }
        }
        return entries.sorted { ($0.when, $0.folder) > ($1.when, $1.folder) }
    }

    /// The paths of all folders under `folder`, sorted by name.
    package static func folders(in folder: String) throws -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw HarnessError(
                .invalidData, "there are no runs in \(folder): wsmlab run stores them under \(standardFolder)")
        }
        return names.filter { !$0.hasPrefix(".") }.sorted().map { (folder as NSString).appendingPathComponent($0) }
            .filter { path in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
            }
    }

    /// Which experiment left its result in the folder; `nil` for none.
    private static func experiment(_ path: String) -> String? {
        ["compare", "capacity", "gate"].first {
            FileManager.default.fileExists(atPath: (path as NSString).appendingPathComponent("\($0).json"))
        }
    }

    private static func reason(_ path: String, _ error: any Error) -> String {
        let file = (path as NSString).appendingPathComponent(RunFolder.resultName)
        guard FileManager.default.fileExists(atPath: file) else {
            return "no \(RunFolder.resultName): the run did not come to its end, or this is no run folder"
        }
        return "\(RunFolder.resultName) cannot be read: \((error as? HarnessError)?.message ?? "\(error)")"
    }

    private static func changed(_ path: String) -> String {
        let date = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        return (date ?? .distantPast).formatted(.iso8601)
    }
}
