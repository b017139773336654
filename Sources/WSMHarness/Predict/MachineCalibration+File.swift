package import Foundation

extension MachineCalibration {
    /// Reads a calibration and checks it.
    ///
    /// - Throws: ``HarnessError`` with `invalidData`, which names the file and, where it is known, the line.
    package static func read(_ path: String) throws -> MachineCalibration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw HarnessError(.invalidData, "cannot read \(path): make a calibration with wsmlab calibrate -o \(path)")
        }
        let text = String(decoding: data, as: UTF8.self)
        struct Head: Decodable { var schema: String? }
        let decoder = JSONDecoder()
        let calibration: MachineCalibration
        do {
            let head = try decoder.decode(Head.self, from: data)
            guard head.schema == schemaName else {
                let found = head.schema.map { "its schema is \($0)" } ?? "it has no schema"
                throw refusal(
                    path, line(of: ["schema"], in: text),
                    "\(found), and this program reads \(schemaName): make it anew with wsmlab calibrate")
            }
            calibration = try decoder.decode(MachineCalibration.self, from: data)
        } catch let error as DecodingError {
            throw refusal(path, place(of: error, in: text), "this is no calibration: \(words(error))")
        }
        if let (keys, fault) = calibration.fault { throw refusal(path, line(of: keys, in: text), fault) }
        return calibration
    }

    /// The bytes of the file.
    package func json() throws -> Data { try documentJSON() }

    /// Writes the file, and the folder around it.
    package func write(_ path: String) throws {
        do {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try json().write(to: url, options: .atomic)
        } catch {
            throw HarnessError(.outputNotWritable, "cannot write the calibration \(path)", cause: error)
        }
    }

    /// More than this is no cost of one piece of work.
    private static let most: Int64 = 60_000_000_000

    /// What is wrong with the numbers, and the keys on the way to it; `nil`: nothing.
    private var fault: (keys: [String], text: String)? {
        guard (1...4096).contains(machine.cores) else {
            return (["machine", "cores"], "machine.cores is \(machine.cores), and is a number from 1 to 4096")
        }
        if let text = waking.fault ?? Self.fault(of: waking.spread).map({ "has a spread whose quantiles \($0)" }) {
            return (["waking"], "waking \(text)")
        }
        let known = Set(Name.allCases.map(\.rawValue))
        for key in coefficients.keys.sorted() where !known.contains(key) {
            return (["coefficients", key], "there is no coefficient \"\(key)\"")
        }
        for name in Name.allCases.map(\.rawValue) {
            guard let coefficient = coefficients[name] else {
                return (["coefficients"], "it lacks the coefficient \(name)")
            }
            guard (0...Self.most).contains(coefficient.nanoseconds) else {
                return (
                    ["coefficients", name, "nanoseconds"],
                    "\(name) is \(coefficient.nanoseconds) ns, and is from 0 to \(Self.most) ns"
                )
            }
            if let text = Self.fault(of: coefficient.residuals) {
                return (["coefficients", name, "residuals"], "the residuals of \(name) \(text)")
            }
        }
        return nil
    }

    private static func fault(of residuals: [Residual]) -> String? {
        guard let first = residuals.first, let last = residuals.last else { return nil }
        guard residuals.count <= 1000, first.perMillion == 0, last.perMillion == 1_000_000 else {
            return "go from perMillion 0 to 1000000, in at most 1000 steps"
        }
        guard residuals.allSatisfy({ (0...1_000_000).contains($0.perMille) }) else {
            return "have a perMille that is not from 0 to 1000000"
        }
        let rises = zip(residuals, residuals.dropFirst()).allSatisfy {
            $0.perMillion < $1.perMillion && $0.perMille <= $1.perMille
        }
        return rises ? nil : "do not rise"
    }

    // MARK: Places

    private static func refusal(_ path: String, _ line: Int?, _ text: String) -> HarnessError {
        HarnessError(.invalidData, "\(path)\(line.map { ":\($0)" } ?? ""): \(text)")
    }

    /// The line of the last of `keys`, each looked for behind the one before.
    private static func line(of keys: [String], in text: String) -> Int? {
        var from = text.startIndex
        var found: String.Index?
        for key in keys {
            guard let range = text[from...].firstRange(of: "\"\(key)\"") else { break }
            found = range.lowerBound
            from = range.upperBound
        }
        return found.map { 1 + text[..<$0].count { $0.isNewline } }
    }

    private static func place(of error: DecodingError, in text: String) -> Int? {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
            return line(of: context.codingPath.filter { $0.intValue == nil }.map(\.stringValue), in: text)
        case .dataCorrupted(let context):
            let keys = context.codingPath.filter { $0.intValue == nil }.map(\.stringValue)
            return keys.isEmpty ? brokenLine(of: text) : line(of: keys, in: text)
        @unknown default: return nil
        }
    }

    /// Where the text stops being JSON: the decoder does not tell, but the older parser names the byte.
    private static func brokenLine(of text: String) -> Int? {
        let bytes = Data(text.utf8)
        do {
            _ = try JSONSerialization.jsonObject(with: bytes, options: .fragmentsAllowed)
            return nil
        } catch {
            let said = "\((error as NSError).userInfo["NSDebugDescription"] ?? "")"
            let place = said.firstMatch(of: /character (\d+)/).flatMap { Int($0.1) } ?? bytes.count
            return 1 + bytes.prefix(place).count { $0 == UInt8(ascii: "\n") }
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map { $0.intValue.map { "\($0)" } ?? $0.stringValue }
                .joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "it lacks \(path(context, key))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(path(context)) is of another kind"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty ? "it is no JSON" : "\(path(context)) cannot be read"
        @unknown default: return "it cannot be read"
        }
    }
}

/// A calibration, and the file that it came from.
package struct NamedCalibration: Sendable {
    package var file: String
    package var calibration: MachineCalibration

    package init(file: String, calibration: MachineCalibration) {
        self.file = file
        self.calibration = calibration
    }

    /// Reads the file; throws as ``MachineCalibration/read(_:)`` does.
    package static func read(_ file: String) throws -> NamedCalibration {
        NamedCalibration(file: file, calibration: try .read(file))
    }
}
