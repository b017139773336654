internal import NIOSSL

/// Why a connection could not be secured: a code to decide on, and a sentence that says what to do.
///
/// No message holds a key.
public struct TLSError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The file or text with the authorities to trust cannot be used.
        case authorityUnusable
        /// The server's own certificate cannot be used.
        case certificateUnusable
        /// The server's own key cannot be used, or belongs to another certificate.
        case keyUnusable
        /// The peer's certificate is not signed by a trusted authority, or is not valid now.
        case certificateRefused
        /// The peer's certificate is for another name or address.
        case wrongHost
        /// What answers does not speak TLS.
        case notTLS
        /// The peer ended the connection during the handshake.
        case closedInHandshake
        /// Anything else that went wrong in the handshake.
        case handshakeFailed
        /// The handshake took too long.
        case timedOut
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message }
}

extension TLSError {
    /// What an error from a pipeline with TLS in it means; `nil` for one that has nothing to do with TLS.
    public init?(in error: any Error) {
        switch error {
        case let error as TLSError: self = error
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self.init(.wrongHost, "its certificate is for another name or address", cause: error)
        case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate:
            self.init(.certificateRefused, Self.refused, cause: error)
        case NIOSSLError.handshakeFailed(let cause): self.init(handshake: "\(cause)", cause: error)
        case let error as BoringSSLError: self.init(handshake: "\(error)", cause: error)
        case is NIOSSLExtraError, is NIOSSLError: self.init(.handshakeFailed, "TLS failed: \(error)", cause: error)
        default: return nil
        }
    }

    private static let refused =
        "its certificate is not signed by an authority that is trusted here, or has expired"

    /// The library tells the reason in its error's text only.
    private init(handshake text: String, cause: any Error) {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            self.init(.certificateRefused, Self.refused, cause: cause)
        } else if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"].contains(where: text.contains) {
            self.init(.notTLS, "what answers does not speak TLS", cause: cause)
        } else if text.lowercased().contains("eofduringhandshake") || text.contains("EOF during handshake") {
            self.init(.closedInHandshake, "the peer ended the connection during the TLS handshake", cause: cause)
        } else {
            self.init(.handshakeFailed, "the TLS handshake failed: \(text)", cause: cause)
        }
    }
}
