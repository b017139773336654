import NIOCore
import WSMTLS

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why an attempt to connect failed, as a short reason from a bounded set: the key of a counter in reports.
enum ConnectFailure {
    static let timedOut = "timed out"
    static let closedInHandshake = "closed during the handshake"
    static let badHandshake = "not a WebSocket handshake"
    static let certificateRefused = "certificate refused"
    static let instanceStopped = "the instance has stopped"

    /// The reason for an answer other than 101.
    static func status(_ code: Int) -> String {
        (100...599).contains(code) ? "HTTP \(code)" : "HTTP status out of range"
    }

    /// The reason for an error of the socket or of TLS.
    static func reason(of error: any Error) -> String {
        if let error = error as? IOError { return reason(ofErrno: error.errnoCode) }
        return TLSError(in: error).map { reason(of: $0.code) } ?? "other"
    }

    private static func reason(of code: TLSError.Code) -> String {
        switch code {
        case .certificateRefused: certificateRefused
        case .wrongHost: "certificate for another host"
        case .notTLS: "no TLS there"
        case .closedInHandshake: "closed during the TLS handshake"
        case .timedOut: timedOut
        case .authorityUnusable, .certificateUnusable, .keyUnusable, .handshakeFailed: "TLS handshake failed"
        }
    }

    private static func reason(ofErrno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "refused"
        case ETIMEDOUT: timedOut
        case ECONNRESET, EPIPE: "reset"
        case EHOSTUNREACH, ENETUNREACH: "unreachable"
        case EADDRNOTAVAIL: "no free source port"
        case EMFILE, ENFILE: "too many open files"
        case ENOBUFS, ENOMEM: "no memory"
        default: "errno \(code)"
        }
    }
}
