internal import Foundation
internal import WSMVerify

/// The first document of a run's trace: what ran, and who publishes.
struct TraceRun: Codable, Sendable {
    struct Publisher: Codable, Sendable {
        var instance: UInt16
        var isFence: Bool
    }

    static let schemaName = "wsmlab.trace/1"

    var schema = TraceRun.schemaName
    var name: String
    var seed: UInt64
    /// The wall clock at the start, as in `result.json`.
    var startedAt: String
    /// wsmlab's version.
    var version: String
    /// The number in the stamps of the run's messages.
    var run: UInt32
    /// The channels by their numbers in the stamps.
    var channels: [String]
    /// The channel that the clients listen to.
    var listened: UInt8
    /// How late a delivery may be, as the observers were told.
    var bounds: LagBounds
    /// By their numbers in the stamps.
    var publishers: [Publisher]
}

/// The last document of a run's trace: what is known at its end beside the events.
struct TraceEnd: Codable, Sendable {
    struct Guarantee: Codable, Sendable {
        var id: GuaranteeID
        var promised: Bool
        var expected: GuaranteeResult.Expectation?
    }

    /// The measured window's length.
    var durationNanoseconds: Int64
    var interrupted: Bool
    /// What the settlement was given.
    var context: SettlementContext
    /// What was promised, and what the scenario expects.
    var guarantees: [Guarantee]
}

enum TraceDocument {
    static func bytes(_ document: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document)) + [UInt8(ascii: "\n")]
    }

    static func read<Document: Decodable>(_: Document.Type, _ bytes: ArraySlice<UInt8>) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(bytes))
    }
}
