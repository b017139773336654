public import WSMTLS

/// Where a Redis is and how to log in: `redis://[user][:password]@host[:port][/database]`, or the path of a Unix socket.
///
/// `rediss://` is the same over TLS: the server's certificate is always verified, with the authorities of the system or of
/// `?ssl_ca_certs=FILE`.
///
/// A socket is written `unix:///path`, `redis+unix:///path` or `redis:///path`, its database as `?db=N`. User, password and
/// path are percent-decoded, IPv6 addresses stand in brackets. The forms are those of redis-py's `Redis.from_url`; of its
/// options for TLS those that would verify less are refused.
public struct RedisURL: Sendable, Hashable, Codable {
    /// How the server is reached.
    enum Address: Sendable, Hashable, Codable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    private(set) var address: Address
    public let username: String?
    public let password: String?
    /// The number for `SELECT`.
    ///
    /// Pub/Sub is the same in all of them.
    public private(set) var database: Int
    /// Whom to trust to vouch for the server, over TLS; `nil` without TLS.
    public let trust: TLSTrust?

    /// The server's name or address without brackets; `nil` for a Unix socket.
    public var host: String? {
        if case .tcp(let host, _) = address { host } else { nil }
    }

    /// The server's port; `nil` for a Unix socket.
    public var port: Int? {
        if case .tcp(_, let port) = address { port } else { nil }
    }

    /// The path of the server's socket; `nil` for TCP.
    public var unixSocketPath: String? {
        if case .unixSocket(let path) = address { path } else { nil }
    }

    init(
        address: Address, username: String? = nil, password: String? = nil, database: Int = 0, trust: TLSTrust? = nil
    ) {
        self.address = address
        self.username = username
        self.password = password
        self.database = database
        self.trust = trust
    }

    /// The same server for another user.
    func login(as username: String?, password: String?) -> RedisURL {
        RedisURL(address: address, username: username, password: password, database: database, trust: trust)
    }

    /// The same Redis behind a relay on a port of 127.0.0.1: login and database stay.
    public func relayed(throughPort port: Int) -> RedisURL {
        var relayed = self
        relayed.address = .tcp(host: "127.0.0.1", port: port)
        return relayed
    }

    /// Another server that is reached with the same login, database 0: a node of a cluster has no other.
    func server(host: String, port: Int) -> RedisURL {
        var url = self
        url.address = .tcp(host: host, port: port)
        url.database = 0
        return url
    }

    /// Reads a URL; the error says which part is wrong without repeating it, since it could be the password.
    public init(_ text: String) throws(RedisURLError) {
        self = try RedisURLParser.parse(text)
    }
}

extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL with its password hidden.
    public var description: String {
        var login = username.map(RedisURLParser.percentEncoded) ?? ""
        if password != nil { login += ":***" }
        if !login.isEmpty { login += "@" }
        switch address {
        case .tcp(let host, let port):
            let shown = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
            var authority = ""
            if case .file(let path)? = trust { authority = "?ssl_ca_certs=\(RedisURLParser.percentEncoded(path))" }
            return "\(trust == nil ? "redis" : "rediss")://\(login)\(shown):\(port)/\(database)\(authority)"
        case .unixSocket(let path):
            return "unix://\(login)\(RedisURLParser.percentEncoded(path))" + (database == 0 ? "" : "?db=\(database)")
        }
    }

    public var debugDescription: String { description }

    /// Hides the password from `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

/// Why a text is no URL of a Redis; says which part is wrong and never repeats it.
public struct RedisURLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The part that is wrong.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case missingScheme, unknownScheme, invalidCharacter, invalidPercentEncoding, missingHost
        case invalidHost, invalidPort, invalidDatabase, invalidOption, invalidSocketPath
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
