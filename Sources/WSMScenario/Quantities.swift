import WSMCore

/// How many a second.
package struct Rate: Hashable, Comparable, Sendable {
    package var perSecond: Double

    package init(perSecond: Double) {
        self.perSecond = perSecond
    }

    package static func < (left: Rate, right: Rate) -> Bool { left.perSecond < right.perSecond }
}

/// A part of a whole, exact to a millionth, so that it is the same after writing and reading it.
package struct Share: Hashable, Comparable, Sendable {
    package var millionths: Int

    package init(millionths: Int) {
        self.millionths = millionths
    }

    /// The share as a number from 0 to 1.
    package var fraction: Double { Double(millionths) / 1e6 }

    package static let zero = Share(millionths: 0)

    package static func < (left: Share, right: Share) -> Bool { left.millionths < right.millionths }
}

/// Why a text is not the quantity that was asked for.
struct QuantityError: Error, Hashable {
    let message: String
    let hint: String
}

/// Reads the quantities of a scenario: `250ms`, `5k/s`, `64KiB`, `5%`.
///
/// Decimal numbers are read exactly, without a detour over floating point.
enum QuantityReader {
    static let durationUnits: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]
    static let sizeUnits: [(name: String, bytes: Int64)] = [
        ("B", 1), ("kB", 1000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20), ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
    ]
    static let rateUnits: [(name: String, factor: Int64)] = [("/s", 1), ("k/s", 1000), ("M/s", 1_000_000)]

    static func duration(_ text: String) throws(QuantityError) -> TimeSpan {
        let hint = "a duration is a number and a unit: 250ms, 10s, 2m (ns, us, ms, s, m, h)"
        return TimeSpan(
            nanoseconds: try scaled(
                text, what: "a duration", units: durationUnits.map { ($0.name, $0.nanoseconds) }, hint))
    }

    static func size(_ text: String) throws(QuantityError) -> Int {
        let hint = "a size is a number and a unit: 256B, 64KiB (B, kB, KiB, MB, MiB, GB, GiB)"
        return Int(try scaled(text, what: "a size", units: sizeUnits.map { ($0.name, $0.bytes) }, hint))
    }

    static func byteRate(_ text: String) throws(QuantityError) -> Int {
        let hint = "a speed is a size a second: 4KiB/s (B/s, kB/s, KiB/s, MB/s, MiB/s, GB/s, GiB/s)"
        return Int(try scaled(text, what: "a speed", units: sizeUnits.map { ($0.name + "/s", $0.bytes) }, hint))
    }

    static func share(_ text: String) throws(QuantityError) -> Share {
        let hint = "a share is a number of per cent from 0% to 100%: 5%"
        let millionths = try scaled(text, what: "a share", units: [("%", 10000)], hint)
        guard millionths <= 1_000_000 else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is more than the whole", hint: hint)
        }
        return Share(millionths: Int(millionths))
    }

    static func rate(_ text: String) throws(QuantityError) -> Rate {
        let hint = "a rate is a number a second: 50/s, 5k/s, 0.2/s"
        let (number, unit) = try split(text, what: "a rate", units: rateUnits.map(\.name), hint)
        let factor = rateUnits.first { $0.name == unit }?.factor ?? 1
        return Rate(perSecond: try double(number, of: text, hint) * Double(factor))
    }

    /// A whole number without a unit.
    static func count(_ text: String) throws(QuantityError) -> Int {
        let hint = "a count is a whole number without a unit: 200"
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is not a count", hint: hint)
        }
        guard let value = Int(text) else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is too large", hint: hint)
        }
        return value
    }

    /// A plain number with an optional fraction, not negative.
    static func number(_ text: String) throws(QuantityError) -> Double {
        let hint = "a number without a unit: 0.5"
        return try double(try split(text, what: "a number", units: [""], hint).number, of: text, hint)
    }

    /// `20ms`, `exponential(20ms)`, `uniform(10ms, 30ms)` or `lognormal(20ms, 0.5)`.
    static func distribution(_ text: String) throws(QuantityError) -> Distribution {
        let hint = "write 20ms, exponential(20ms), uniform(10ms, 30ms) or lognormal(20ms, 0.5)"
        guard let open = text.firstIndex(of: "("), text.hasSuffix(")") else {
            do {
                return .constant(try duration(text))
            } catch {
                throw QuantityError(message: error.message, hint: hint)
            }
        }
        let name = trimmed(text[..<open])
        let inside = text[text.index(after: open)...].dropLast()
        let parameters = inside.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
        switch (name, parameters.count) {
        case ("exponential", 1):
            return .exponential(mean: try duration(parameters[0]))
        case ("uniform", 2):
            let (from, to) = (try duration(parameters[0]), try duration(parameters[1]))
            guard from <= to else {
                throw QuantityError(message: "uniform(…) begins after it ends", hint: hint)
            }
            return .uniform(from: from, to: to)
        case ("lognormal", 2):
            let (median, sigma) = (try duration(parameters[0]), try number(parameters[1]))
            guard sigma <= 5 else {
                throw QuantityError(message: "a lognormal's spread is at most 5", hint: hint)
            }
            return .lognormal(median: median, sigma: sigma)
        default:
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is not a distribution", hint: hint)
        }
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

extension QuantityReader {
    /// The number of `text` in its base unit, which must come out whole.
    private static func scaled(
        _ text: String, what: String, units: [(String, Int64)], _ hint: String
    ) throws(QuantityError) -> Int64 {
        let (number, unit) = try split(text, what: what, units: units.map(\.0), hint)
        let parts = number.split(separator: ".")
        let fraction = parts.count == 2 ? parts[1] : ""
        guard number.utf8.count <= 19, let digits = Int64(parts[0] + fraction) else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) has too many digits", hint: hint)
        }
        let factor = units.first { $0.0 == unit }?.1 ?? 1
        var divisor: Int128 = 1
        for _ in 0..<fraction.utf8.count { divisor *= 10 }
        let (quotient, rest) = (Int128(digits) * Int128(factor)).quotientAndRemainder(dividingBy: divisor)
        guard rest == 0 else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is finer than \(what) can be", hint: hint)
        }
        guard let value = Int64(exactly: quotient), value < Int64.max / 4 else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is too large", hint: hint)
        }
        return value
    }

    /// The number (digits, with a point and more digits or without) and the unit of `text`.
    private static func split(
        _ text: String, what: String, units: [String], _ hint: String
    ) throws(QuantityError) -> (number: Substring, unit: String) {
        let quoted = Diagnostic.quoted(text)
        guard !text.hasPrefix("-") else { throw QuantityError(message: "\(quoted) is negative", hint: hint) }
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = trimmed(text.dropFirst(number.count))
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard !number.isEmpty, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw QuantityError(message: "\(quoted) is not \(what)", hint: hint)
        }
        guard units.contains(unit) else {
            let fault =
                unit.isEmpty ? "\(quoted) needs a unit" : "\(Diagnostic.quoted(unit)) is not a unit of \(what)"
            throw QuantityError(message: fault, hint: hint)
        }
        return (number, unit)
    }

    /// The double nearest to the digits of `number`.
    private static func double(_ number: Substring, of text: String, _ hint: String) throws(QuantityError) -> Double {
        guard number.utf8.count <= 40, let value = Double(number) else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) has too many digits", hint: hint)
        }
        return value
    }
}

/// Writes quantities so that ``QuantityReader`` reads back the same.
enum QuantityWriter {
    static func duration(_ span: TimeSpan) -> String {
        let units = QuantityReader.durationUnits.filter { $0.name != "us" && $0.name != "µs" } + [("us", 1000)]
        let fitting = units.filter { span.nanoseconds % $0.nanoseconds == 0 }
        guard span.nanoseconds != 0, let best = fitting.max(by: { $0.nanoseconds < $1.nanoseconds }) else {
            return "0s"
        }
        return "\(span.nanoseconds / best.nanoseconds)\(best.name)"
    }

    static func size(_ bytes: Int) -> String {
        for (name, unit) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)B"
    }

    static func rate(_ rate: Rate) -> String {
        "\(number(rate.perSecond))/s"
    }

    /// The shortest decimal that reads back as the same number; without an exponent from 0.0001 up to 2⁵³.
    static func number(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    static func share(_ share: Share) -> String {
        let fraction = share.millionths % 10000
        guard fraction > 0 else { return "\(share.millionths / 10000)%" }
        var digits = String(fraction)
        while digits.count < 4 { digits = "0" + digits }
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(share.millionths / 10000).\(digits)%"
    }

    static func distribution(_ distribution: Distribution) -> String {
        switch distribution {
        case .constant(let span): duration(span)
        case .exponential(let mean): "exponential(\(duration(mean)))"
        case .uniform(let from, let to): "uniform(\(duration(from)), \(duration(to)))"
        case .lognormal(let median, let sigma): "lognormal(\(duration(median)), \(number(sigma)))"
        }
    }
}
