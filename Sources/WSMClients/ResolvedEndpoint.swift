import NIOCore
import NIOPosix
import WSMTLS

/// An endpoint with the address behind its name and the trust in its certificate, made once and not for each client.
struct ResolvedEndpoint: Sendable {
    /// How many clients leave from one source address: below the 28,232 ports that Linux gives to outgoing connections
    /// (`ip_local_port_range`), so that ports in TIME_WAIT and other programs find room.
    static let clientsPerSource = 24_000

    let endpoint: ClientEndpoint
    let address: SocketAddress
    /// `nil` for plain sockets.
    let tls: TLSClient?

    /// Looks up the host, on NIO's thread pool for blocking calls since the system's resolver blocks.
    static func resolve(_ endpoint: ClientEndpoint) async throws -> ResolvedEndpoint {
        guard (1...65_535).contains(endpoint.port) else {
            throw FleetError(
                code: .invalidEndpoint, message: "\(endpoint.url): a port is a number from 1 to 65535")
        }
        let tls = try await makeTLS(endpoint)
        let host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host
        if let literal = try? SocketAddress(ipAddress: host, port: endpoint.port) {
            return ResolvedEndpoint(endpoint: endpoint, address: literal, tls: tls)
        }
        do {
            let address = try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(host, port: endpoint.port)
            }
            return ResolvedEndpoint(endpoint: endpoint, address: address, tls: tls)
        } catch {
            throw FleetError(
                code: .invalidEndpoint,
                message: "the host of \(endpoint.url) is not known here; check its name or give an address",
                cause: error)
        }
    }

    /// Reads the authorities, which may stand in a file.
    private static func makeTLS(_ endpoint: ClientEndpoint) async throws -> TLSClient? {
        guard let trust = endpoint.trust else { return nil }
        do {
            return try await NIOThreadPool.singleton.runIfActive { try TLSClient(trust: trust) }
        } catch {
            throw FleetError(code: .invalidEndpoint, message: "\(endpoint.url): \(error)", cause: error)
        }
    }

    /// How client number `client` connects.
    func options(ofClient client: UInt32, receiveBuffer: CInt?) -> ClientSocket.Options {
        var makeTLS: (() throws -> TLSStream)?
        if let tls { makeTLS = { try tls.makeStream(host: endpoint.host, address: address) } }
        return ClientSocket.Options(
            address: address, source: source(ofClient: client), receiveBuffer: receiveBuffer, tls: makeTLS)
    }

    /// The address that client number `client` binds to, or `nil` where the kernel may choose.
    ///
    /// One destination takes a connection a source port, so more clients than ports need more source addresses, and a
    /// loopback interface has them: 127.0.0.2, 127.0.0.3, …. The choice depends on the client's number alone, so that
    /// several client processes do not meet on one address.
    func source(ofClient client: UInt32) -> SocketAddress? {
        let block = Int(client) / ResolvedEndpoint.clientsPerSource
        guard block > 0, isLoopback else { return nil }
        return try? SocketAddress(ipAddress: "127.0.\((block + 1) >> 8 & 0xFF).\((block + 1) & 0xFF)", port: 0)
    }

    private var isLoopback: Bool {
        guard case .v4 = address, let text = address.ipAddress else { return false }
        return text.hasPrefix("127.")
    }
}
