import WSMCore

extension FormatChecker {
    /// Holds a single value against its shape; throws what is wrong with it.
    mutating func checkScalar(
        _ text: String, at origin: Origin, against shape: Shape, path: String
    ) throws(QuantityError) {
        switch shape {
        case .text(let rule):
            try check(text, at: origin, rule: rule, path: path)
        case .count(let range):
            try require(QuantityReader.count(text), in: range) { "\($0)" }
        case .countOr(let range, let words):
            guard !words.contains(text) else { return }
            let words = words.joined(separator: ", ")
            guard let count = try? QuantityReader.count(text) else {
                throw QuantityError(message: "\(Diagnostic.quoted(text)) is not a count", hint: "a number or \(words)")
            }
            try require(count, in: range) { "\($0)" }
        case .seed:
            guard UInt64(text) != nil, text.first != "+" else {
                throw QuantityError(
                    message: "\(Diagnostic.quoted(text)) is not a seed", hint: "a whole number from 0 to \(UInt64.max)")
            }
        case .duration(let range):
            try require(QuantityReader.duration(text), in: range, QuantityWriter.duration)
        case .rate(let range):
            try require(QuantityReader.rate(text).perSecond, in: range) { "\(QuantityWriter.number($0))/s" }
        case .size(let range):
            try require(QuantityReader.size(text), in: range, QuantityWriter.size)
        case .byteRate(let range):
            try require(QuantityReader.byteRate(text), in: range) { "\(QuantityWriter.size($0))/s" }
        case .share:
            _ = try QuantityReader.share(text)
        case .flag:
            guard text != "true", text != "false" else { return }
            throw QuantityError(message: "\(Diagnostic.quoted(text)) is neither true nor false", hint: "true or false")
        case .distribution:
            let distribution = try QuantityReader.distribution(text)
            try require(distribution.longestParameter, in: .zero...Limits.step, QuantityWriter.duration)
        case .threshold:
            if case .failure(let error) = Threshold.parse(text) {
                throw QuantityError(message: error.message, hint: error.hint)
            }
        case .choice, .list, .map, .choiceOr, .variants:
            preconditionFailure("these shapes are no scalars")
        }
    }

    private func require<Value: Comparable>(
        _ value: Value, in range: ClosedRange<Value>, _ write: (Value) -> String
    ) throws(QuantityError) {
        guard !range.contains(value) else { return }
        let bounds = "from \(write(range.lowerBound)) to \(write(range.upperBound))"
        throw QuantityError(message: "\(write(value)) is out of range", hint: "allowed: \(bounds)")
    }

    private mutating func check(
        _ text: String, at origin: Origin, rule: TextRule, path: String
    ) throws(QuantityError) {
        switch rule {
        case .any(let limit):
            guard text.utf8.count > limit else { return }
            throw QuantityError(message: "the text is too long", hint: "at most \(limit) bytes")
        case .name:
            guard !TextRule.isName(text) else { return }
            throw QuantityError(
                message: "\(Diagnostic.quoted(text)) is not a name",
                hint: "1 to 100 letters, digits, dots, dashes or underscores, the first a letter or a digit")
        case .redisURL:
            try checkURL(text, schemes: ["redis", "rediss", "unix"], example: "redis://127.0.0.1:6379")
        case .webSocketURL:
            try checkWebSocketURL(text)
        case .publishURL:
            try checkURL(
                text, schemes: ["redis", "rediss", "unix", "http", "https"], example: "redis://127.0.0.1:6379")
        case .channel:
            guard !(1...256).contains(text.utf8.count) || text.unicodeScalars.contains(where: { $0.value < 0x20 })
            else { return }
            throw QuantityError(
                message: "this is no name of a channel", hint: "1 to 256 bytes without control characters")
        case .subprotocol:
            guard !TextRule.isSubprotocol(text) else { return }
            // The message leaves the text out: it may be a token.
            throw QuantityError(
                message: "this is no subprotocol",
                hint: "1 to 4096 visible ASCII characters, no blank and no comma: several are a list")
        }
    }

    private func checkWebSocketURL(_ text: String) throws(QuantityError) {
        do throws(TargetURL.Fault) {
            let url = try TargetURL(text, schemes: ["ws", "wss"])
            guard url.login == nil else {
                throw TargetURL.Fault(
                    message: "a WebSocket URL with a user or a password is not supported",
                    hint: "take it out; a token can stand in target.subprotocols or in the URL's query")
            }
        } catch {
            throw QuantityError(message: error.message, hint: error.hint)
        }
    }

    /// The message leaves the URL out: it may hold a password.
    private func checkURL(_ text: String, schemes: [String], example: String) throws(QuantityError) {
        let hint = "for example \(example)"
        let scheme = text.prefix { $0 != ":" }
        guard text.dropFirst(scheme.count).hasPrefix("://"), schemes.contains(String(scheme)) else {
            let known = schemes.map { "\($0)://" }.joined(separator: ", ")
            throw QuantityError(message: "the URL must begin with \(known)", hint: hint)
        }
        let rest = text.dropFirst(scheme.count + 3)
        let isClean = rest.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f }
        guard !rest.isEmpty, isClean, scheme == "unix" ? rest.contains("/") : rest.first != "/" else {
            throw QuantityError(message: "the URL names no server", hint: hint)
        }
    }
}

extension Distribution {
    /// The longest of the lengths that stand in it.
    fileprivate var longestParameter: TimeSpan {
        switch self {
        case .constant(let span), .exponential(let span), .lognormal(let span, _), .uniform(_, let span): span
        }
    }
}

extension TextRule {
    /// Visible ASCII without a comma: more than RFC 6455 allows (a token), since tokens in Base64 are in use.
    static func isSubprotocol(_ text: String) -> Bool {
        (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x2c }
    }

    /// 1 to 100 bytes that are safe in a path, in Redis and in a URL.
    static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        let isWord = { (byte: UInt8) in (48...57).contains(byte) || (65...90).contains(byte & 0xdf) }
        guard let first = bytes.first, bytes.count <= 100, isWord(first) else { return false }
        return bytes.allSatisfy { isWord($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }
}
