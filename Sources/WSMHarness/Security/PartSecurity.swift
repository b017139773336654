internal import Foundation
internal import WSMInstance
internal import WSMScenario
internal import WSMTLS

/// What one part of a run needs so that the others trust it: plain data, which goes to the run's processes.
struct PartSecurity: Sendable, Codable {
    /// Whom clients trust; `nil` without TLS.
    var trust: TLSTrust?
    /// What instances prove themselves with; `nil` without TLS.
    var identity: TLSIdentity?
    /// Signs the clients' tokens; `nil` where instances ask for none.
    var tokenKey: [UInt8]?

    /// How long a valid token lasts, in seconds: longer than any run.
    private static let tokenLifetime: Int64 = 7 * 24 * 3600
    /// How long ago an expired token has expired, in seconds.
    private static let expiredSince: Int64 = 60

    /// Makes an instance prove itself, and ask its clients for tokens.
    func apply(to configuration: inout LiveInstance.Configuration) {
        configuration.identity = identity
        configuration.authenticator = authenticator
    }

    private var authenticator: any SocketAuthenticator {
        guard let tokenKey else { return NoAuthentication() }
        return SignedTokens(TokenSigner(key: tokenKey)) { Self.now() }
    }

    /// What a client offers in `Sec-WebSocket-Protocol`; `nil` where instances ask for no token.
    func subprotocols(of client: PlannedClient) throws -> [String]? {
        guard let tokenKey else { return nil }
        let valid = Self.now() + Self.tokenLifetime
        var claims = TokenSigner.Claims(subject: "client-\(client.index)", expiresAt: valid)
        var signer = TokenSigner(key: tokenKey)
        switch client.credential {
        case .valid: break
        case .expired: claims.exp = Self.now() - Self.expiredSince
        case .wrong: signer = TokenSigner(key: TokenSigner.makeKey())
        case .forbidden: claims.scope = "none"
        // The name of the protocol, and no token after it.
        case .malformed: return [Self.protocolName]
        }
        return [Self.protocolName, try signer.sign(claims)]
    }

    private static let protocolName = "base64.bearer.token"

    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }
}
