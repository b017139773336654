public import NIOCore
internal import NIOSSL

/// A server's certificate (with those between it and the authority, if any) and its key, both in PEM.
public struct TLSIdentity: Sendable, Hashable, Codable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    public var certificate: String
    public var privateKey: String

    public init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// Without the key.
    public var description: String { "a certificate and its key" }
    public var debugDescription: String { description }
    /// Hides the key from `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["certificate": certificate]) }
}

/// The server's side of TLS, made once and used for all its connections, from any thread.
///
/// TLS 1.2 at least; clients show no certificate.
public struct TLSServer: Sendable {
    private let context: NIOSSLContext

    /// How long a client may take for the handshake before it is cut off.
    public static let handshakeDeadline = TimeAmount.seconds(10)

    public init(_ identity: TLSIdentity) throws(TLSError) {
        let certificates = try Self.certificates(identity)
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: Array(identity.privateKey.utf8), format: .pem)
        } catch {
            // The cause is left out of the message: no text about a key is shown.
            throw TLSError(
                .keyUnusable, "the TLS key cannot be read: it must be PEM, without a passphrase", cause: error)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = TLSClient.shutdownTimeout
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSError(
                .keyUnusable, "the TLS key does not belong to the certificate: give the two that were made together",
                cause: error)
        }
    }

    private static func certificates(_ identity: TLSIdentity) throws(TLSError) -> [NIOSSLCertificate] {
        let found: [NIOSSLCertificate]
        do {
            found = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
        } catch {
            throw TLSError(.certificateUnusable, "the TLS certificate cannot be read: it must be PEM", cause: error)
        }
        guard !found.isEmpty else {
            throw TLSError(.certificateUnusable, "there is no certificate in the TLS certificate's file")
        }
        return found
    }

    /// Puts TLS at the end of a new connection's pipeline; what is added afterwards sees plain bytes.
    ///
    /// On the connection's event loop. A client that has not ended its handshake by the deadline is cut off.
    public func addHandlers(
        to pipeline: ChannelPipeline.SynchronousOperations, deadline: TimeAmount = TLSServer.handshakeDeadline
    ) throws {
        try pipeline.addHandlers([NIOSSLServerHandler(context: context), HandshakeDeadline(deadline)])
    }
}
