public import NIOCore
internal import WSMCore

/// Who may open a WebSocket: what the reference's `authenticate_websocket` and `authorize_websocket` decide.
public protocol SocketAuthenticator: Sendable {
    /// Decides on a client's token, which is empty when the client sent none. Called on the client's event loop; must not
    /// block it.
    func authenticate(token: String, on eventLoop: any EventLoop) -> EventLoopFuture<SocketAuthentication>
}

/// What an authenticator decided.
public enum SocketAuthentication: Hashable, Sendable {
    case allowed
    /// The token is missing, wrong or expired: 401.
    case notAuthenticated(String)
    /// The user may not: 403.
    case notAuthorized(String)

    /// The text message that a refused client gets before its close 1008; `nil` when it is allowed.
    var errorMessage: String? {
        switch self {
        case .allowed: nil
        case .notAuthenticated(let detail): Self.error(detail, status: 401)
        case .notAuthorized(let detail): Self.error(detail, status: 403)
        }
    }

    private static func error(_ detail: String, status: Int) -> String {
        #"{"error":{"detail":\#(JSONString.quoted(detail)),"headers":null,"status_code":\#(status)}}"#
    }
}

/// Lets everyone in.
public struct NoAuthentication: SocketAuthenticator {
    public init() {}

    public func authenticate(token: String, on eventLoop: any EventLoop) -> EventLoopFuture<SocketAuthentication> {
        eventLoop.makeSucceededFuture(.allowed)
    }
}

/// Lets in who knows the token.
public struct StaticToken: SocketAuthenticator {
    private let expected: [UInt8]

    public init(_ token: String) {
        expected = Array(token.utf8)
    }

    public func authenticate(token: String, on eventLoop: any EventLoop) -> EventLoopFuture<SocketAuthentication> {
        let given = Array(token.utf8)
        guard !given.isEmpty else { return eventLoop.makeSucceededFuture(.notAuthenticated("Not authenticated")) }
        // Every byte is looked at, so that the time taken does not tell how far a guess was right.
        var difference = given.count ^ expected.count
        for index in given.indices where !expected.isEmpty {
            difference |= Int(given[index] ^ expected[index % expected.count])
        }
        return eventLoop.makeSucceededFuture(difference == 0 ? .allowed : .notAuthorized("Not authorized"))
    }
}
