import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Chooses a TCP port for a server that may be killed and started again.
enum FreePort {
    /// A port of 127.0.0.1 that nobody listens on, below those that the system gives to outgoing connections.
    ///
    /// In that range a client that reconnects while the server is down could be given the server's own port, and then holds
    /// it, connected to itself.
    ///
    /// - Parameter distance: Another port, so far above it, is to be free as well, and below those too.
    static func choose(withFreePortAt distance: Int? = nil) throws(RedisError) -> Int {
        let range = 10_240..<max(firstEphemeralPort - (distance ?? 0), 11_264)
        // Different processes begin in different places; a race for one port shows when the server cannot bind it.
        var candidate = (Int(getpid()) &* 7919 &+ Int(MonotonicInstant.now().nanoseconds % 1_000_000_000)) % range.count
        for _ in 0..<1000 {
            candidate = (candidate + 1) % range.count
            let port = range.lowerBound + candidate
            if isFree(port), distance.map({ isFree(port + $0) }) ?? true { return port }
        }
        throw RedisError(.serverNotStarted, "none of 1000 ports of 127.0.0.1 was free for the private redis-server")
    }

    private static var firstEphemeralPort: Int {
        let file = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 32_768 }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(file, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return text.split(whereSeparator: { $0 == "\t" || $0 == " " }).first.flatMap { Int($0) } ?? 32_768
    }

    private static func isFree(_ port: Int) -> Bool { PortReservation(port: port) != nil }
}
