/// The name of a broadcast channel, as it stands in Redis and in the WebSocket's path.
public struct ChannelName: Hashable, Sendable, CustomStringConvertible {
    public let name: String

    public init(_ name: String) {
        self.name = name
    }

    /// What the frontend listens to (`WS_CHANNELS.EVENTS`).
    public static let events = ChannelName("events")
    /// The engine's status, deprecated in the reference (`WS_CHANNELS.ENGINE_SETTINGS`).
    public static let engineSettings = ChannelName("engine-settings")
    /// All processes, deprecated in the reference (`WS_CHANNELS.ALL_PROCESSES`).
    public static let processes = ChannelName("processes")

    public var description: String { name }
}
