internal import Foundation

/// Puts stored runs side by side.
package enum StoredComparison {
    /// The comparison of runs on disk.
    ///
    /// Runs of the very same scenario, seed included, by the same version are rounds of one variant. A folder that `wsmlab
    /// compare` left behind, alone, is read as it is.
    ///
    /// - Throws: ``HarnessError`` when a folder has no result, or there are no two variants.
    package static func read(_ folders: [String]) throws -> CompareResult {
        if folders.count == 1, let stored = try comparison(in: folders[0]) { return stored }
        var groups: [(run: Run, variant: CompareResult.Variant)] = []
        for folder in folders {
            let run = try Run(folder)
            if let index = groups.firstIndex(where: { $0.run.isRepetition(of: run) }) {
                groups[index].variant.results.append(run.result)
                groups[index].variant.folders.append(folder)
            } else {
                groups.append((run, .init(name: name(folder), results: [run.result], folders: [folder])))
            }
        }
        guard groups.count >= 2 else {
            throw HarnessError(
                .invalidData,
                "there is nothing to compare: name runs of two scenarios or versions, or two settings of one scenario")
        }
        var variants = groups.map(\.variant)
        for index in variants.indices where variants.filter({ $0.name == variants[index].name }).count > 1 {
            variants[index].name = variants[index].folders[0]
        }
        let first = groups[0].run
        var result = CompareResult(
            name: Array(Set(groups.map(\.run.result.name))).sorted().joined(separator: ", "),
            startedAt: first.result.startedAt, rounds: nil, variants: variants, environment: first.result.environment)
        for (group, variant) in zip(groups, variants).dropFirst() {
            result.warnings += group.run.differences(from: first, named: variant.name, variants[0].name)
        }
        for variant in variants {
            let cut = variant.results.filter(\.interrupted).count
            guard cut > 0 else { continue }
            result.warnings.append("\(cut) of \(variant.results.count) runs of \(variant.name): interrupted")
        }
        Comparison.judge(&result, paired: false)
        return result
    }

    private static func comparison(in folder: String) throws -> CompareResult? {
        let path = (folder as NSString).appendingPathComponent(CompareRun.resultName)
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do {
            let stored = try JSONDecoder().decode(CompareResult.self, from: data)
            guard stored.schema == CompareResult.schemaName else {
                throw HarnessError(
                    .invalidData, "\(path) has the schema \(stored.schema), not \(CompareResult.schemaName)")
            }
            return stored
        } catch let error as HarnessError {
            throw error
        } catch {
            throw HarnessError(.invalidData, "\(path) is not a comparison", cause: error)
        }
    }

    /// The last part of a path.
    private static func name(_ folder: String) -> String {
        let last = URL(fileURLWithPath: folder).resolvingSymlinksInPath().lastPathComponent
        return last.isEmpty ? folder : last
    }
}

/// A stored run, and the scenario that it ran, every default written out.
private struct Run {
    var result: RunResult
    /// `nil` where the folder has none.
    var scenario: [String]?

    init(_ folder: String) throws {
        result = try StoredResult.read(folder: folder)
        let path = (folder as NSString).appendingPathComponent("scenario.yaml")
        scenario = FileManager.default.contents(atPath: path).map { data in
            String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    func isRepetition(of other: Run) -> Bool {
        scenario != nil && scenario == other.scenario && result.environment == other.result.environment
            && result.seed == other.result.seed
    }

    /// Why a ratio of the two may say something else than it seems to.
    func differences(from first: Run, named name: String, _ firstName: String) -> [String] {
        let (ours, theirs) = (result.environment, first.result.environment)
        var all: [String] = []
        let isOther = ours.machine != nil && theirs.machine != nil && ours.machine != theirs.machine
        if isOther || ours.kernel != theirs.kernel || ours.cores != theirs.cores {
            all.append(
                "\(name) ran on another machine than \(firstName) (\(ours.kernel), \(ours.cores) cores; \(theirs.kernel), "
                    + "\(theirs.cores) cores): times and CPU are not comparable")
        }
        if ours.version != theirs.version || ours.swift != theirs.swift {
            all.append(
                "\(name) is of wsmlab \(ours.version) (Swift \(ours.swift)), \(firstName) of \(theirs.version) "
                    + "(Swift \(theirs.swift))")
        }
        if ours.redis != theirs.redis {
            all.append("\(name) ran on Redis \(ours.redis ?? "none"), \(firstName) on \(theirs.redis ?? "none")")
        }
        if result.seed != first.result.seed {
            all.append("\(name) has another seed than \(firstName): the load is another draw")
        }
        if let ours = scenario, let theirs = first.scenario {
            let changed = ours.filter { !theirs.contains($0) }.map { $0.trimmingCharacters(in: .whitespaces) }
            if !changed.isEmpty {
                let more = changed.count > 4 ? " and \(changed.count - 4) more" : ""
                all.append("\(name) has \(changed.prefix(4).joined(separator: ", "))\(more), unlike \(firstName)")
            }
        } else {
            all.append("\(name) or \(firstName) has no scenario.yaml: nobody knows whether they ran the same")
        }
        return all
    }
}
