import WSMCore

/// The scenario format as JSON Schema, draft 7, made from the table that the parser uses.
///
/// Bounds of quantities with a unit cannot be said in JSON Schema: they stand in the descriptions.
package enum ScenarioSchema {
    /// The schema as indented text that ends with a newline.
    package static func json() -> String {
        let head: [(String, JSONText)] = [
            ("$schema", .text("http://json-schema.org/draft-07/schema#")),
            ("title", .text("wsmlab scenario")),
            ("description", .text("A load on a cluster of WebSocket managers, and what it must show.")),
        ]
        let quantities: [(String, JSONText)] = Quantity.allCases.map { ($0.rawValue, $0.schema) }
        let tail: [(String, JSONText)] = [("definitions", .object(quantities))]
        return JSONText.object(head + members(of: ScenarioFormat.root) + tail).pretty() + "\n"
    }

    private static func members(
        of format: MapFormat, discriminator: (key: String, word: String)? = nil
    ) -> [(String, JSONText)] {
        var properties: [(String, JSONText)] = []
        var required: [JSONText] = []
        if let discriminator {
            properties.append((discriminator.key, .object([("const", .text(discriminator.word))])))
            required.append(.text(discriminator.key))
        }
        properties += format.keys.map { ($0.name, schema(of: $0)) }
        required += format.keys.filter(\.isRequired).map { .text($0.name) }
        var members: [(String, JSONText)] = [
            ("type", .text("object")), ("additionalProperties", .boolean(false)), ("properties", .object(properties)),
        ]
        if !required.isEmpty { members.append(("required", .list(required))) }
        if !format.oneOf.isEmpty {
            let choices = format.oneOf.map { JSONText.object([("required", .list([.text($0)]))]) }
            members.append(("oneOf", .list(choices)))
        }
        if !format.atMostOneOf.isEmpty {
            let both = JSONText.object([("required", .list(format.atMostOneOf.map { .text($0) }))])
            members.append(("not", both))
        }
        return members
    }

    private static func schema(of key: KeyFormat) -> JSONText {
        var summary = key.summary
        if let bounds = bounds(of: key.shape) { summary += " From \(bounds)." }
        if let text = key.defaultText { summary += " Default: \(text)." }
        let pending = unsupported(in: key.shape)
        if !key.isSupported { summary += " Not supported yet." }
        if !pending.isEmpty { summary += " Not supported yet: \(pending.joined(separator: ", "))." }
        // Draft 7 ignores what stands beside a $ref; allOf lets the description count.
        var members: [(String, JSONText)] = [("description", .text(summary))]
        switch schema(of: key.shape) {
        case .map(let inner) where inner.first?.name != "$ref":
            members += inner.map { ($0.name, $0.value) }
        case let other: members.append(("allOf", .list([other])))
        }
        return .object(members)
    }

    private static func unsupported(in shape: Shape) -> [String] {
        switch shape {
        case .choice(_, let unsupported): unsupported
        case .list(.variants(_, let variants), _): variants.filter { !$0.isSupported }.map(\.word)
        default: []
        }
    }

    private static func bounds(of shape: Shape) -> String? {
        switch shape {
        case .duration(let range):
            "\(QuantityWriter.duration(range.lowerBound)) to \(QuantityWriter.duration(range.upperBound))"
        case .rate(let range):
            "\(QuantityWriter.number(range.lowerBound))/s to \(QuantityWriter.number(range.upperBound))/s"
        case .size(let range):
            "\(QuantityWriter.size(range.lowerBound)) to \(QuantityWriter.size(range.upperBound))"
        case .byteRate(let range):
            "\(QuantityWriter.size(range.lowerBound))/s to \(QuantityWriter.size(range.upperBound))/s"
        default: nil
        }
    }

    private static func schema(of shape: Shape) -> JSONText {
        switch shape {
        case .text(let rule): rule.schema
        case .choice(let words, _): words.schema
        case .count(let range): range.schema
        case .countOr(let range, let words): .object([("anyOf", .list([range.schema, words.schema]))])
        case .seed:
            .object([("type", .text("integer")), ("minimum", .integer(0)), ("maximum", .unsigned(.max))])
        case .duration: Quantity.duration.reference
        case .rate: Quantity.rate.reference
        case .size: Quantity.size.reference
        case .byteRate: Quantity.speed.reference
        case .share: Quantity.share.reference
        case .flag: .object([("type", .text("boolean"))])
        case .distribution: Quantity.distribution.reference
        case .threshold: Quantity.threshold.reference
        case .list(let element, let counts):
            .object([
                ("type", .text("array")), ("maxItems", .integer(counts.upperBound)), ("items", schema(of: element)),
            ])
        case .map(let format): .object(members(of: format))
        case .choiceOr(let words, let format):
            .object([("anyOf", .list([words.schema, .object(members(of: format))]))])
        case .variants(let key, let variants):
            .object([
                (
                    "oneOf",
                    .list(
                        variants.map { variant in
                            let summary: [(String, JSONText)] = [("description", .text(variant.summary))]
                            return .object(summary + members(of: variant.format, discriminator: (key, variant.word)))
                        })
                )
            ])
        }
    }
}

/// The quantities of the format, each a text with a pattern.
private enum Quantity: String, CaseIterable {
    case duration
    case rate
    case size
    case speed
    case share
    case distribution
    case threshold

    var reference: JSONText { .object([("$ref", .text("#/definitions/\(rawValue)"))]) }

    var schema: JSONText {
        .object([
            ("type", .text("string")), ("pattern", .text("^\(pattern)$")),
            ("examples", .list(examples.map { .text($0) })),
        ])
    }

    private static let number = #"[0-9]+(\.[0-9]+)?"#

    private static func pattern(units: [String]) -> String {
        number + " *(" + units.joined(separator: "|") + ")"
    }

    private var pattern: String {
        let durations = Quantity.pattern(units: QuantityReader.durationUnits.map(\.name))
        switch self {
        case .duration: return durations
        case .rate: return Quantity.pattern(units: QuantityReader.rateUnits.map(\.name))
        case .size: return Quantity.pattern(units: QuantityReader.sizeUnits.map(\.name))
        case .speed: return Quantity.pattern(units: QuantityReader.sizeUnits.map { $0.name + "/s" })
        case .share: return Quantity.number + " *%"
        case .distribution:
            let drawn = [
                "exponential *\\( *\(durations) *\\)", "uniform *\\( *\(durations) *, *\(durations) *\\)",
                "lognormal *\\( *\(durations) *, *\(Quantity.number) *\\)",
            ]
            return "(\(durations)|\(drawn.joined(separator: "|")))"
        case .threshold:
            let operators = ["<=", ">=", "==", "<", ">"].joined(separator: "|")
            return "[A-Za-z][A-Za-z0-9.-]* *(\(operators)) *\(Quantity.number) *[A-Za-zµ%/]*"
        }
    }

    private var examples: [String] {
        switch self {
        case .duration: ["250ms", "10s", "2m"]
        case .rate: ["50/s", "5k/s"]
        case .size: ["256B", "64KiB"]
        case .speed: ["4KiB/s"]
        case .share: ["5%"]
        case .distribution: ["20ms", "exponential(20ms)", "uniform(10ms, 30ms)", "lognormal(20ms, 0.5)"]
        case .threshold: ["latency.p99 < 50ms", "delivery.lost == 0"]
        }
    }
}

extension [String] {
    fileprivate var schema: JSONText {
        .object([("type", .text("string")), ("enum", .list(map { .text($0) }))])
    }
}

extension ClosedRange<Int> {
    fileprivate var schema: JSONText {
        .object([
            ("type", .text("integer")), ("minimum", .integer(lowerBound)), ("maximum", .integer(upperBound)),
        ])
    }
}

extension TextRule {
    fileprivate var schema: JSONText {
        switch self {
        case .any(let limit):
            .object([("type", .text("string")), ("maxLength", .integer(limit))])
        case .name: TextRule.schema(pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
        case .redisURL: TextRule.schema(pattern: "^(redis|rediss|unix)://[!-~]+$")
        case .webSocketURL: TextRule.schema(pattern: "^wss?://[!-~]+$")
        case .publishURL: TextRule.schema(pattern: "^(redis|rediss|unix|http|https)://[!-~]+$")
        case .channel:
            .object([("type", .text("string")), ("minLength", .integer(1)), ("maxLength", .integer(256))])
        case .subprotocol: TextRule.schema(pattern: "^[!-+\\--~]{1,4096}$")
        }
    }

    private static func schema(pattern: String) -> JSONText {
        .object([("type", .text("string")), ("pattern", .text(pattern))])
    }
}
