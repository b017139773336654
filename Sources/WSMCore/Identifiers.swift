/// A WebSocket client as its instance knows it: numbered by the instance in the order of their connecting, never reused.
public struct ClientID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (left: ClientID, right: ClientID) -> Bool { left.rawValue < right.rawValue }
    public var description: String { "client \(rawValue)" }
}

/// One subscription at the broker, numbered by the manager that asked for it, never reused.
public struct SubscriptionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (left: SubscriptionID, right: SubscriptionID) -> Bool { left.rawValue < right.rawValue }
    public var description: String { "subscription \(rawValue)" }
}

/// One call of `broadcastData`, numbered by its caller.
public struct BroadcastID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public var description: String { "broadcast \(rawValue)" }
}

/// One who publishes in an order of its own: a thread of a worker, a broadcast thread's queue, a publisher of the load.
///
/// At most 24 bits, since it stands in the probe stamp.
public struct PublisherID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (left: PublisherID, right: PublisherID) -> Bool { left.rawValue < right.rawValue }
    public var description: String { "publisher \(rawValue)" }
}

/// A UUID as 128 bits, for processes and subscriptions; made from the seed by ``CounterRNG/uuid()``.
public struct OrchestratorUUID: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the canonical form of RFC 9562, 36 characters, in either case; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var digits: [UInt64] = [0, 0]
        var count = 0
        for (index, character) in text.utf8.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard character == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard count < 32, let digit = HexDigits.value(character) else { return nil }
            digits[count / 16] = digits[count / 16] << 4 | UInt64(digit)
            count += 1
        }
        guard count == 32, text.utf8.count == 36 else { return nil }
        self.init(high: digits[0], low: digits[1])
    }

    /// The canonical form of RFC 9562: 36 characters, lower case.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        HexDigits.append(high >> 32, digits: 8, to: &bytes)
        for (word, shift) in [(high, 16), (high, 0), (low, 48)] as [(UInt64, UInt64)] {
            bytes.append(UInt8(ascii: "-"))
            HexDigits.append(word >> shift & 0xffff, digits: 4, to: &bytes)
        }
        bytes.append(UInt8(ascii: "-"))
        HexDigits.append(low & 0xffff_ffff_ffff, digits: 12, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
