import WSMCore

/// What a value of a scenario may be.
///
/// The checker, the JSON Schema and the hints all read it from here.
indirect enum Shape: Sendable {
    case text(TextRule)
    /// One of a few words; of those in `unsupported` the feature does not exist yet.
    case choice([String], unsupported: [String] = [])
    case count(ClosedRange<Int>)
    /// A count, or one of a few words in its place.
    case countOr(ClosedRange<Int>, words: [String])
    case seed
    case duration(ClosedRange<TimeSpan>)
    case rate(ClosedRange<Double>)
    case size(ClosedRange<Int>)
    case byteRate(ClosedRange<Int>)
    case share
    /// `true` or `false`.
    case flag
    case distribution
    case threshold
    case list(of: Shape, ClosedRange<Int>)
    case map(MapFormat)
    /// A word, or a map in its place.
    case choiceOr([String], MapFormat)
    /// A map whose other keys depend on the word under `key`.
    case variants(key: String, [Variant])
}

/// A text and what is asked of it.
enum TextRule: Sendable {
    /// Any text up to a length in bytes.
    case any(limit: Int)
    /// A name that may stand in a path and in Redis.
    case name
    case redisURL
    case webSocketURL
    /// `redis`, `http`: the URL of what takes the publishes of a target.
    case publishURL
    /// The name of a Redis channel.
    case channel
    /// One of the values of `Sec-WebSocket-Protocol`.
    case subprotocol
}

/// The keys of one map.
struct MapFormat: Sendable {
    var keys: [KeyFormat]
    /// Of these keys exactly one must stand.
    var oneOf: [String] = []
    /// Of these keys at most one may stand.
    var atMostOneOf: [String] = []
}

/// The map that belongs to one word under a discriminating key.
struct Variant: Sendable {
    var word: String
    var summary: String
    var format: MapFormat
    /// False as long as the feature behind the word does not exist.
    var isSupported = true
}

/// One key of a map.
struct KeyFormat: Sendable {
    var name: String
    var summary: String
    var shape: Shape
    var isRequired: Bool
    /// False as long as the feature behind the key does not exist: the key is then checked and refused.
    var isSupported: Bool
    /// The default as a scenario would write it, where there is a single one.
    var defaultText: String?

    init(
        _ name: String, _ shape: Shape, required: Bool = false, supported: Bool = true, default: String? = nil,
        _ summary: String
    ) {
        self.name = name
        self.shape = shape
        self.summary = summary
        self.isRequired = required
        self.isSupported = supported
        self.defaultText = `default`
    }
}

extension Shape {
    /// The key names that may stand at a place of this shape, whatever the variant: for hints.
    var mapFormat: MapFormat? {
        switch self {
        case .map(let format), .choiceOr(_, let format): format
        default: nil
        }
    }
}
