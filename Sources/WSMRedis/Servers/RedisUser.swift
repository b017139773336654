/// A user of a private redis-server, who may do no more than is listed: what Redis calls an ACL.
public struct RedisUser: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let name: String
    public let password: String
    /// Channels that it may publish to and subscribe to, as Redis' patterns.
    public var channels: [String]
    /// What it may do, as Redis writes rules: `+publish`, `+@pubsub`.
    public var commands: [String]

    /// What the managers send, as far as it is of use: Pub/Sub and transactions, logging in, and signs of life.
    public static let managersCommands = [
        "+auth", "+select", "+client|setname", "+ping", "+publish", "+subscribe", "+unsubscribe", "+multi", "+exec",
    ]

    /// A user; name and password are letters, digits, dashes and underscores, which need no quotes anywhere.
    public init(
        name: String, password: String, channels: [String], commands: [String] = RedisUser.managersCommands
    ) {
        let isPlain = { (text: String) in
            !text.isEmpty
                && text.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte & 0xdf) || byte == 45 || byte == 95
                }
        }
        precondition(isPlain(name) && isPlain(password), "a user's name and password are letters, digits, - and _")
        self.name = name
        self.password = password
        self.channels = channels
        self.commands = commands
    }

    /// The line of redis.conf.
    var configurationLine: String {
        let channels = channels.map { "&\($0)" }
        return (["user", name, "on", ">\(password)", "resetkeys", "resetchannels"] + channels + ["-@all"] + commands)
            .joined(separator: " ")
    }

    public var description: String { "user \(name)" }
    public var debugDescription: String { description }
    /// Hides the password from `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
