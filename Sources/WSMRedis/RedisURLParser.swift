internal import WSMTLS

/// Takes a Redis URL apart, byte by byte.
///
/// No message repeats any of the text but its scheme and an option's name.
enum RedisURLParser {
    private typealias Bytes = ArraySlice<UInt8>

    /// What `sockaddr_un` holds on every system that we run on, without its final zero.
    private static let socketPathMaxBytes = 103

    static func parse(_ text: String) throws(RedisURLError) -> RedisURL {
        let bytes = Array(text.utf8)
        guard !bytes.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            throw RedisURLError(
                .invalidCharacter, "the Redis URL holds a blank or a control character; write it as %20")
        }
        guard !bytes.contains(UInt8(ascii: "#")) else {
            throw RedisURLError(.invalidCharacter, "the Redis URL holds a '#'; inside a password write it as %23")
        }
        let (scheme, rest) = try splitScheme(bytes[...])
        let query = rest.firstIndex(of: UInt8(ascii: "?"))
        let options = try parseOptions(query.map { rest[($0 + 1)...] } ?? [], scheme: scheme)
        let hierarchy = rest[..<(query ?? rest.endIndex)]
        let pathStart = hierarchy.firstIndex(of: UInt8(ascii: "/")) ?? hierarchy.endIndex
        let (login, server) = try splitLogin(hierarchy[..<pathStart])
        let path = hierarchy[pathStart...]
        if scheme == "rediss", server.isEmpty {
            throw RedisURLError(.missingHost, "the Redis URL names no host; write rediss://localhost:6379/0")
        }
        if scheme == "rediss" || scheme == "redis" && !server.isEmpty {
            guard !path.contains(UInt8(ascii: "@")) else {
                throw RedisURLError(
                    .invalidCharacter, "the Redis URL holds a '/' before its '@'; inside a password write it as %2F")
            }
            let (host, port) = try parseServer(server)
            let database = try databaseOfPath(path, option: options.database)
            let trust = options.authorityFile.map { TLSTrust.file($0) } ?? .system
            return RedisURL(
                address: .tcp(host: host, port: port), username: login.user, password: login.password,
                database: database, trust: scheme == "rediss" ? trust : nil)
        }
        guard server.isEmpty else {
            throw RedisURLError(
                .invalidSocketPath,
                "a Redis socket's URL has three slashes before its path: \(scheme):///run/redis.sock")
        }
        let socket = try parseSocketPath(path, scheme: scheme)
        return RedisURL(
            address: .unixSocket(path: socket), username: login.user, password: login.password,
            database: options.database ?? 0)
    }

    private static func splitScheme(_ bytes: Bytes) throws(RedisURLError) -> (String, Bytes) {
        let mark = Array("://".utf8)
        let end = bytes.indices.first { bytes[$0...].starts(with: mark) }
        guard let end, end > 0 else {
            throw RedisURLError(
                .missingScheme, "the Redis URL has no scheme; write redis://host:6379/0 or unix:///path/to/socket")
        }
        let scheme = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
        switch scheme {
        case "redis", "rediss", "unix", "redis+unix": return (scheme, bytes[(end + mark.count)...])
        default:
            let isPlain = scheme.utf8.allSatisfy { isLetterOrDigit($0) } && scheme.utf8.count <= 12
            throw RedisURLError(
                .unknownScheme,
                "the Redis URL has an unknown scheme\(isPlain ? " '\(scheme)'" : ""); use redis://, rediss:// (TLS), unix:// or redis+unix://"
            )
        }
    }

    private static func splitLogin(
        _ authority: Bytes
    ) throws(RedisURLError) -> (login: (user: String?, password: String?), server: Bytes) {
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return ((nil, nil), authority) }
        let login = authority[..<at]
        let colon = login.firstIndex(of: UInt8(ascii: ":"))
        let user = try percentDecoded(login[..<(colon ?? login.endIndex)], part: "user")
        let password = try colon.map { colon throws(RedisURLError) in
            try percentDecoded(login[(colon + 1)...], part: "password")
        }
        let server = authority[(at + 1)...]
        return ((user.isEmpty ? nil : user, password.flatMap { $0.isEmpty ? nil : $0 }), server)
    }

    private static func parseServer(_ server: Bytes) throws(RedisURLError) -> (host: String, port: Int) {
        let host: Bytes
        let rest: Bytes
        if server.first == UInt8(ascii: "[") {
            guard let end = server.firstIndex(of: UInt8(ascii: "]")) else {
                throw RedisURLError(.invalidHost, "the Redis URL's IPv6 address has no closing bracket")
            }
            host = server[(server.startIndex + 1)..<end]
            rest = server[(end + 1)...]
            let isAddress = host.allSatisfy {
                isLetterOrDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
            }
            guard host.contains(UInt8(ascii: ":")), isAddress else {
                throw RedisURLError(.invalidHost, "what stands in brackets in the Redis URL is no IPv6 address")
            }
        } else {
            let colon = server.firstIndex(of: UInt8(ascii: ":")) ?? server.endIndex
            host = server[..<colon]
            rest = server[colon...]
            guard !rest.dropFirst().contains(UInt8(ascii: ":")) else {
                throw RedisURLError(
                    .invalidHost,
                    "the Redis URL's host holds colons; an IPv6 address stands in brackets: redis://[::1]:6379/0")
            }
        }
        guard !host.isEmpty else {
            throw RedisURLError(.missingHost, "the Redis URL names no host; write redis://localhost:6379/0")
        }
        let name = try percentDecoded(host, part: "host")
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }) else {
            throw RedisURLError(.invalidHost, "the Redis URL's host holds a character that no host name has")
        }
        guard let first = rest.first else { return (name, 6379) }
        guard first == UInt8(ascii: ":"), let port = number(rest.dropFirst()), (1...65535).contains(port) else {
            throw RedisURLError(
                .invalidPort,
                "the Redis URL's port is no number from 1 to 65535; a password's '/', ':' and '@' are written %2F, %3A, %40"
            )
        }
        return (name, port)
    }

    private static func databaseOfPath(_ path: Bytes, option: Int?) throws(RedisURLError) -> Int {
        let digits = path.dropFirst()
        guard !digits.isEmpty else { return option ?? 0 }
        guard let database = number(digits), option == nil || option == database else {
            throw invalidDatabase
        }
        return database
    }

    private static func parseSocketPath(_ path: Bytes, scheme: String) throws(RedisURLError) -> String {
        guard path.count > 1, scheme != "redis" || number(path.dropFirst()) == nil else {
            throw RedisURLError(
                .missingHost,
                "the Redis URL names neither a host nor a socket; write redis://localhost:6379/0 or unix:///path/to/socket"
            )
        }
        let decoded = try percentDecoded(path, part: "socket path")
        guard decoded.utf8.count <= socketPathMaxBytes else {
            throw RedisURLError(
                .invalidSocketPath,
                "the Redis URL's socket path has \(decoded.utf8.count) bytes; a socket's path has at most \(socketPathMaxBytes)"
            )
        }
        return decoded
    }

    /// What may stand after the question mark.
    private struct Options {
        var database: Int?
        var authorityFile: String?
    }

    /// Reads `db=N`, and with TLS `ssl_ca_certs=FILE`.
    private static func parseOptions(_ query: Bytes, scheme: String) throws(RedisURLError) -> Options {
        var options = Options()
        for option in query.split(separator: UInt8(ascii: "&")) {
            let equals = option.firstIndex(of: UInt8(ascii: "=")) ?? option.endIndex
            let name = String(decoding: option[..<equals], as: UTF8.self)
            let value = option[equals...].dropFirst()
            switch name {
            case "db":
                guard options.database == nil, let database = number(value) else { throw invalidDatabase }
                options.database = database
            case "ssl_ca_certs" where scheme == "rediss":
                let path = try percentDecoded(value, part: "option ssl_ca_certs")
                guard options.authorityFile == nil, !path.isEmpty else {
                    throw RedisURLError(
                        .invalidOption,
                        "the Redis URL's option ssl_ca_certs must name one file: ssl_ca_certs=/path/ca.pem")
                }
                options.authorityFile = path
            default: throw unknownOption(name, scheme: scheme)
            }
        }
        return options
    }

    private static func unknownOption(_ name: String, scheme: String) -> RedisURLError {
        if name == "ssl_ca_certs" {
            return RedisURLError(.invalidOption, "the Redis URL's option ssl_ca_certs needs TLS: rediss://")
        }
        if name.hasPrefix("ssl_") {
            return RedisURLError(
                .invalidOption,
                "of the Redis URL's options for TLS only ssl_ca_certs=FILE is known: the certificate is always verified"
            )
        }
        let isPlain = name.utf8.allSatisfy(isLetterOrDigit) && name.utf8.count <= 20
        let known = scheme == "rediss" ? "db=N and ssl_ca_certs=FILE" : "db=N"
        return RedisURLError(
            .invalidOption, "the Redis URL has an unknown option\(isPlain ? " '\(name)'" : ""); there is only \(known)")
    }

    private static var invalidDatabase: RedisURLError {
        RedisURLError(
            .invalidDatabase, "the Redis URL's database is no number; write redis://host:6379/0 or unix:///path?db=0")
    }

    /// The value of 1 to 9 decimal digits, and of nothing else.
    private static func number(_ digits: Bytes) -> Int? {
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func percentDecoded(_ bytes: Bytes, part: String) throws(RedisURLError) -> String {
        var decoded: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == UInt8(ascii: "%") else {
                decoded.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.endIndex, let high = hexValue(bytes[index + 1]),
                let low = hexValue(bytes[index + 2]),
                high << 4 | low != 0
            else {
                throw RedisURLError(
                    .invalidPercentEncoding,
                    "the Redis URL's \(part) holds a '%' without two hexadecimal digits (or %00); write '%' itself as %25"
                )
            }
            decoded.append(high << 4 | low)
            index += 3
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw RedisURLError(.invalidPercentEncoding, "the Redis URL's \(part) is not UTF-8 once decoded")
        }
        return text
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// The text with everything but letters, digits and `-._~/` percent-encoded (RFC 3986, unreserved characters).
    static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if isLetterOrDigit(byte) || "-._~/".utf8.contains(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
