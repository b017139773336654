#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Holds a port of 127.0.0.1 while nobody listens on it: the system gives it to no outgoing connection, and whoever connects
/// to it is refused.
///
/// A server that allows its address to be reused can listen on it meanwhile.
package final class PortReservation: Sendable {
    private let descriptor: CInt

    /// `nil` when the port cannot be had.
    package init?(port: Int) {
        #if os(Linux)
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let file = socket(AF_INET, type, 0)
        guard file >= 0 else { return nil }
        var on: CInt = 1
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isBound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound else {
            close(file)
            return nil
        }
        descriptor = file
    }

    deinit { close(descriptor) }
}
