public import WSMCore

/// One call of `broadcast_data(channels, data)`.
public struct Broadcast: Sendable {
    public var channels: [ChannelName]
    /// The data as a JSON object, without a probe stamp.
    public var json: [UInt8]
    /// The stamp that it is to carry, if it is measured.
    public var stamp: ProbeStamp?

    public init(channels: [ChannelName], json: [UInt8], stamp: ProbeStamp? = nil) {
        self.channels = channels
        self.json = json
        self.stamp = stamp
    }

    private static let eventsChannel = [ChannelName.events]

    init(event: OrchestratorEvent, stamp: ProbeStamp? = nil) {
        self.init(channels: Self.eventsChannel, json: event.jsonBytes, stamp: stamp)
    }

    /// Whether the Memory manager closes the clients that it sends this to: the data has `"close": true`.
    ///
    /// Only compact JSON is recognised, which is what this project and the reference's serializer write.
    var closesClients: Bool {
        let needle = Array(#""close":true"#.utf8)
        guard json.count >= needle.count else { return false }
        return (0...(json.count - needle.count)).contains { json[$0..<($0 + needle.count)].elementsEqual(needle) }
    }

    /// The bytes for the wire, stamped with the instant of their publishing.
    func wireBytes(publishedAt instant: MonotonicInstant) -> (bytes: [UInt8], stamp: ProbeStamp?) {
        guard var stamp else { return (json, nil) }
        stamp.published = instant
        return (stamp.appended(to: json), stamp)
    }
}
