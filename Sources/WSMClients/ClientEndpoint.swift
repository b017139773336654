package import WSMTLS

/// Where the clients of one instance connect to.
package struct ClientEndpoint: Sendable, Hashable {
    /// A name, an IPv4 or an IPv6 address (without brackets); `localhost` means 127.0.0.1.
    package var host: String
    package var port: Int
    /// The request's target with its query, for instance `/api/ws/events`.
    package var path: String
    /// What `Sec-WebSocket-Protocol` offers; none: the header is left out.
    package var subprotocols: [String]
    /// Whom clients trust to vouch for the server, over TLS; `nil` for plain sockets.
    package var trust: TLSTrust?

    package init(
        host: String, port: Int, path: String, subprotocols: [String] = [], trust: TLSTrust? = nil
    ) {
        self.host = host
        self.port = port
        self.path = path
        self.subprotocols = subprotocols
        self.trust = trust
    }

    /// The endpoint as people write it.
    package var url: String { "\(trust == nil ? "ws" : "wss")://\(authority)\(path)" }

    /// Host and port as the `Host` header has them: RFC 9110, section 7.2.
    var authority: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
