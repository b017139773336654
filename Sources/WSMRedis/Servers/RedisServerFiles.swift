import CHiredis
import WSMTLS

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The files of a private redis-server: its program, configuration, log and socket.
enum RedisServerFiles {
    static var temporaryFolder: String {
        environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    }

    static func socketPath(_ folder: String) -> String { "\(folder)/redis.sock" }
    static func authorityPath(_ folder: String) -> String { "\(folder)/ca.pem" }
    private static func certificatePath(_ folder: String) -> String { "\(folder)/redis.pem" }
    private static func keyPath(_ folder: String) -> String { "\(folder)/redis.key" }

    /// The first redis-server of the search path.
    static func findServer(searchPath: String?) throws(RedisError) -> String {
        let searchPath = searchPath ?? environment("PATH") ?? ""
        for folder in searchPath.split(separator: ":") {
            let program = "\(folder)/redis-server"
            if access(program, X_OK) == 0 { return program }
        }
        throw RedisError(
            .serverNotStarted,
            "redis-server is not in PATH. Install it with `make deps` (Debian, Ubuntu: apt-get install redis-server), or "
                + "use a Redis that runs already with redis: {url: redis://…}")
    }

    /// Writes `redis.conf`; only this user may read it, since it can hold a password.
    static func writeConfiguration(folder: String, url: RedisURL, lines: [String]) throws(RedisError) {
        var text = """
            bind 127.0.0.1
            port \(url.trust == nil ? url.port ?? 0 : 0)
            unixsocket \(quoted(socketPath(folder)))
            unixsocketperm 700
            dir \(quoted(folder))
            save ""
            appendonly no
            daemonize no

            """
        if let password = url.password { text += "requirepass \(quoted(password))\n" }
        if url.trust != nil {
            text += """
                tls-port \(url.port ?? 0)
                tls-cert-file \(quoted(certificatePath(folder)))
                tls-key-file \(quoted(keyPath(folder)))
                tls-ca-cert-file \(quoted(authorityPath(folder)))
                tls-auth-clients no

                """
        }
        for line in lines { text += line + "\n" }
        guard socketPath(folder).utf8.count <= 103 else {
            throw RedisError(
                .serverNotStarted,
                "the folder \(folder) is too long a name for a socket in it; set TMPDIR to a shorter one")
        }
        try writeFile(text, to: "\(folder)/redis.conf")
    }

    /// Writes a server's certificate and key, and its authority's certificate.
    static func writeIdentity(_ tls: EmbeddedRedis.Options.TLS, folder: String) throws(RedisError) {
        try writeFile(tls.identity.certificate, to: certificatePath(folder))
        try writeFile(tls.identity.privateKey, to: keyPath(folder))
        try writeFile(tls.authority, to: authorityPath(folder))
    }

    /// Writes a file that only this user may read.
    private static func writeFile(_ text: String, to path: String) throws(RedisError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw cannotWrite(path) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count else { throw cannotWrite(path) }
    }

    /// Removes the socket of an earlier server, which would look like the new one's.
    static func removeSocket(folder: String) {
        unlink(socketPath(folder))
    }

    private static func cannotWrite(_ path: String) -> RedisError {
        RedisError(.serverNotStarted, "cannot write \(path): \(String(cString: strerror(errno)))")
    }

    /// A value in the quotes of redis.conf.
    private static func quoted(_ text: String) -> String {
        let digits = Array("0123456789abcdef")
        var quoted = "\""
        for byte in text.utf8 {
            let isPlain = (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            if isPlain {
                quoted.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                quoted += "\\x" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
            }
        }
        return quoted + "\""
    }

    /// The last lines of the server's log, of its last 4 KiB at most.
    static func lastLines(of folder: String) -> String {
        let file = open("\(folder)/redis.log", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "(there is no log)" }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        lseek(file, max(0, size - 4096), SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").suffix(10)
        return lines.isEmpty ? "(the log is empty)" : lines.joined(separator: "\n")
    }

    /// Whether a server answers on the socket at once, be it with an error.
    ///
    /// The socket lies in the server's own folder, so it is this server that answers. Redis makes it after its port, and
    /// ends if it gets either not.
    static func answers(socket path: String) -> Bool {
        #if os(Linux)
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let file = socket(AF_UNIX, type, 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        let ping = Array("PING\r\n".utf8)
        guard connected == 0, write(file, ping, ping.count) == ping.count else { return false }
        var wanted = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        // A server that has just bound its socket answers within microseconds; else the caller asks again.
        guard poll(&wanted, 1, 20) == 1 else { return false }
        var byte: UInt8 = 0
        return read(file, &byte, 1) == 1
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
