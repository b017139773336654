public import NIOCore
internal import NIOSSL

/// Whom a client trusts to vouch for a server.
public enum TLSTrust: Sendable, Hashable, Codable {
    /// The authorities that the system trusts.
    case system
    /// The authorities in this text, in PEM, and no others.
    case pem(String)
    /// The authorities in this file, in PEM, and no others.
    case file(String)
}

/// The client's side of TLS: it always verifies the server's certificate and its name.
///
/// Made once and used for any number of connections, from any thread. TLS 1.2 at least.
public struct TLSClient: Sendable {
    private let context: NIOSSLContext

    /// How long the peer may take to answer the end of the encryption before the connection is closed anyhow.
    static let shutdownTimeout = TimeAmount.seconds(1)

    /// Reads the authorities; blocks as long as reading a file takes.
    public init(trust: TLSTrust) throws(TLSError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = Self.shutdownTimeout
        switch trust {
        case .system: break
        case .pem(let text):
            configuration.trustRoots = .certificates(
                try Self.authorities("the authority's certificate") {
                    try NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
                })
        case .file(let path):
            configuration.trustRoots = .certificates(
                try Self.authorities("the CA file \(path)") { try NIOSSLCertificate.fromPEMFile(path) })
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSError(.authorityUnusable, "TLS cannot be set up: \(error)", cause: error)
        }
    }

    private static func authorities(
        _ what: String, _ read: () throws -> [NIOSSLCertificate]
    ) throws(TLSError) -> [NIOSSLCertificate] {
        do {
            let found = try read()
            guard found.isEmpty else { return found }
            throw TLSError(.authorityUnusable, "\(what) holds no certificate")
        } catch let error as TLSError {
            throw error
        } catch {
            throw TLSError(
                .authorityUnusable, "\(what) cannot be read, or is not PEM: \(error)", cause: error)
        }
    }

    /// Puts TLS at the end of a new channel's pipeline; what is added afterwards sees plain bytes.
    ///
    /// On the channel's event loop, before it is active.
    ///
    /// - Parameter host: The server's name, which its certificate must have; for an address the certificate must have the
    ///   address that is connected to.
    public func addHandler(to pipeline: ChannelPipeline.SynchronousOperations, host: String) throws {
        try pipeline.addHandler(try NIOSSLClientHandler(context: context, serverHostname: Self.name(host)))
    }

    /// TLS for a connection to `address` whose bytes the caller reads and sends itself.
    ///
    /// - Parameter host: As for ``addHandler(to:host:)``.
    public func makeStream(host: String, address: SocketAddress) throws -> TLSStream {
        try TLSStream(context, host: Self.name(host), address: address)
    }

    /// What is announced to the server: an address is verified, but the extension for names takes none (RFC 6066, section 3).
    private static func name(_ host: String) -> String? {
        (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
    }
}
