internal import Crypto
internal import Foundation
public import NIOCore

/// Signs bearer tokens and checks them: JSON Web Tokens (RFC 7519) with HMAC and SHA-256 (`HS256`, RFC 7518, section 3.2).
///
/// The reference asks its identity provider about a token; here one key stands for the provider. From any thread.
public struct TokenSigner: Sendable {
    /// Who may listen to events has this word in the claim `scope`.
    public static let eventsScope = "events"
    /// A longer token is refused unread.
    static let maxBytes = 8192

    /// What a token says.
    public struct Claims: Hashable, Sendable, Codable {
        /// The subject, who shows it.
        public var sub: String
        /// When it expires, in seconds since 1970.
        public var exp: Int64
        /// What it allows, in words.
        public var scope: String

        public init(subject: String, expiresAt: Int64, scope: String = TokenSigner.eventsScope) {
            sub = subject
            exp = expiresAt
            self.scope = scope
        }

        func allows(_ word: String) -> Bool { scope.split(separator: " ").contains { $0 == word } }
    }

    private struct Header: Codable {
        var alg: String
        var typ: String?
    }

    private let key: SymmetricKey

    /// A new random key of 32 bytes.
    public static func makeKey() -> [UInt8] { SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) } }

    /// A signer with this key, of 32 bytes at least.
    public init(key: [UInt8]) {
        precondition(key.count >= 32, "a key for HS256 has 32 bytes at least (RFC 7518, section 3.2)")
        self.key = SymmetricKey(data: key)
    }

    /// A signed token.
    public func sign(_ claims: Claims) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let header = Base64URL.encode(try encoder.encode(Header(alg: "HS256", typ: "JWT")))
        let signed = "\(header).\(Base64URL.encode(try encoder.encode(claims)))"
        let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: key)
        return "\(signed).\(Base64URL.encode(Data(code)))"
    }

    /// What a token says; `nil` for one that this key has not signed.
    func claims(of token: String) -> Claims? {
        guard token.utf8.count <= Self.maxBytes else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let code = Base64URL.decode(parts[2]) else { return nil }
        let signed = Data("\(parts[0]).\(parts[1])".utf8)
        // Compares in constant time.
        guard HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key) else { return nil }
        let decoder = JSONDecoder()
        guard let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            (try? decoder.decode(Header.self, from: header))?.alg == "HS256"
        else { return nil }
        return try? decoder.decode(Claims.self, from: payload)
    }
}

/// Lets in who shows a token that was signed with the key, has not expired, and allows events.
public struct SignedTokens: SocketAuthenticator {
    private let signer: TokenSigner
    private let now: @Sendable () -> Int64

    /// - Parameter now: The wall clock, in seconds since 1970.
    public init(_ signer: TokenSigner, now: @escaping @Sendable () -> Int64) {
        self.signer = signer
        self.now = now
    }

    public func authenticate(token: String, on eventLoop: any EventLoop) -> EventLoopFuture<SocketAuthentication> {
        eventLoop.makeSucceededFuture(decide(token))
    }

    func decide(_ token: String) -> SocketAuthentication {
        guard !token.isEmpty else { return .notAuthenticated("Not authenticated") }
        guard let claims = signer.claims(of: token) else { return .notAuthenticated("Invalid token") }
        guard claims.exp > now() else { return .notAuthenticated("The token has expired") }
        return claims.allows(TokenSigner.eventsScope) ? .allowed : .notAuthorized("Not authorized")
    }
}

/// Base64 with the alphabet for URLs and without padding (RFC 7515, section 2).
private enum Base64URL {
    static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func decode(_ text: Substring) -> Data? {
        guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        else { return nil }
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }
}
