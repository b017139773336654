internal import Foundation
internal import WSMScenario

/// What a baseline file keeps of a scenario: schema `wsmlab.baseline/1`.
///
/// Only what carries over between machines, unless it names the machine whose times it keeps. No time stamps, rounded figures
/// and sorted keys: a diff shows what changed and nothing else.
package struct GateBaseline: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.baseline/1"

    /// Times of one machine, which say nothing on another.
    package struct Machine: Codable, Equatable, Sendable {
        /// ``MachineIdentity``.
        package var id: String
        package var times: [String: Double]
    }

    package var schema = GateBaseline.schemaName
    package var name: String
    /// ``ScenarioHash``.
    package var scenario: String
    package var counts: [String: Int]
    package var guarantees: [String: GuaranteeResult.Verdict]
    /// Live figures against the load generator's own, by `figure/reference`.
    package var ratios: [String: Double]
    package var machine: Machine?
    /// Of simulated runs only.
    package var traceHash: String?

    package init(
        name: String, scenario: String, counts: [String: Int], guarantees: [String: GuaranteeResult.Verdict],
        ratios: [String: Double], machine: Machine? = nil, traceHash: String? = nil
    ) {
        self.name = name
        self.scenario = scenario
        self.counts = counts
        self.guarantees = guarantees
        self.ratios = ratios
        self.machine = machine
        self.traceHash = traceHash
    }

    // MARK: Files

    /// Why a baseline cannot be compared with, though it is none that is broken.
    package enum Absence: Error, Hashable {
        case noFile
        case otherSchema(String)
    }

    /// Reads a baseline.
    ///
    /// - Throws: ``Absence``, or ``HarnessError`` with `invalidData` for a file that is broken, or names what nobody knows.
    package static func read(_ path: String) throws -> GateBaseline {
        guard let data = FileManager.default.contents(atPath: path) else { throw Absence.noFile }
        struct Head: Decodable { var schema: String? }
        let decoder = JSONDecoder()
        if let head = try? decoder.decode(Head.self, from: data), let schema = head.schema, schema != schemaName {
            throw Absence.otherSchema(schema)
        }
        do {
            let baseline = try decoder.decode(GateBaseline.self, from: data)
            try baseline.check()
            return baseline
        } catch let error as HarnessError {
            throw HarnessError(.invalidData, "\(path): \(error.message)")
        } catch {
            throw HarnessError(
                .invalidData, "\(path) is no baseline: write it anew with --update", cause: error)
        }
    }

    /// Refuses names that nobody knows, and a file from which something was taken away: what is not compared would pass.
    private func check() throws {
        let known = [
            (Set(counts.keys), Set(BaselineCount.paths), "count"),
            (Set(ratios.keys), Set(BaselineRatio.paths), "ratio"),
            (Set(guarantees.keys), Set(Guarantee.allCases.map(\.rawValue)), "guarantee"),
            (Set(machine?.times.keys.map { $0 } ?? []), Set(MetricCatalogue.gated), "time"),
        ]
        for (names, all, kind) in known {
            guard let stranger = names.subtracting(all).min() else { continue }
            throw HarnessError(.invalidData, "there is no \(kind) \"\(stranger)\": write the file anew with --update")
        }
        let wanted = BaselineCount.all.filter(\.isAlwaysThere).map(\.path)
        if let lacking = wanted.first(where: { counts[$0] == nil }) {
            throw HarnessError(.invalidData, "it lacks the count \(lacking): write the file anew with --update")
        }
        if guarantees.isEmpty {
            throw HarnessError(.invalidData, "it lacks the guarantees: write the file anew with --update")
        }
        let figures = Array(ratios.values) + Array(machine.map { Array($0.times.values) } ?? [])
        guard figures.allSatisfy({ $0.isFinite && $0 > 0 }), counts.values.allSatisfy({ $0 >= 0 }) else {
            throw HarnessError(
                .invalidData, "it has figures that cannot be measured: write the file anew with --update")
        }
    }

    /// Writes the file; an unchanged one is left as it is.
    ///
    /// - Returns: Whether anything changed.
    package func write(_ path: String) throws -> Bool {
        let data = try documentJSON()
        if FileManager.default.contents(atPath: path) == data { return false }
        do {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw HarnessError(.outputNotWritable, "cannot write the baseline \(path)", cause: error)
        }
        return true
    }
}
