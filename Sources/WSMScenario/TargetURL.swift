/// The `ws`, `wss` or `http` URL of a target, taken apart (RFC 3986; RFC 6455, section 3): `http://user:password@host:port/path?query`.
///
/// Its description hides the password and the query, which may hold a token.
package struct TargetURL: Hashable, Sendable, CustomStringConvertible {
    /// Who logs in, already percent-decoded.
    package struct Login: Hashable, Sendable {
        package var user: String
        package var password: String
    }

    /// `ws`, `wss` or `http`.
    package let scheme: String
    package let login: Login?
    /// A name or an address; IPv6 without its brackets.
    package let host: String
    package let port: Int
    /// The request's target, path and query, beginning with a slash.
    package let path: String

    /// Host and port as the `Host` header has them: RFC 9110, section 7.2.
    package var authority: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }

    package var description: String {
        let shownPath = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let shownLogin = login.map { "\(TargetURL.encoded($0.user)):***@" } ?? ""
        return "\(scheme)://\(shownLogin)\(authority)\(shownPath[0])\(shownPath.count > 1 ? "?…" : "")"
    }

    /// Why a text is no URL of a target; never repeats any of it.
    package struct Fault: Error, Hashable, Sendable {
        package let message: String
        package let hint: String
    }

    /// Reads a URL whose scheme is one of `schemes`.
    package init(_ text: String, schemes: [String]) throws(Fault) {
        let example = schemes.contains("ws") ? "ws://127.0.0.1:8080/api/ws/events" : "http://127.0.0.1:8080/publish"
        let hint = "for example \(example)"
        let scheme = String(text.prefix { $0 != ":" })
        guard text.dropFirst(scheme.count).hasPrefix("://"), schemes.contains(scheme) else {
            let known = schemes.map { "\($0)://" }.joined(separator: ", ")
            throw Fault(message: "the URL must begin with \(known)", hint: hint)
        }
        let rest = text.dropFirst(scheme.count + 3)
        guard rest.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7f }) else {
            throw Fault(message: "the URL holds a blank or a character outside ASCII", hint: "percent-encode it: %20")
        }
        guard !rest.contains("#") else {
            throw Fault(message: "the URL holds a '#'", hint: "write %23; a fragment is never sent to a server")
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var server = rest[..<end]
        var login: Login?
        if let at = server.lastIndex(of: "@") {
            login = try TargetURL.login(server[..<at])
            server = server[server.index(after: at)...]
        }
        let path = String(rest[end...])
        (host, port) = try TargetURL.server(server, defaultPort: scheme == "wss" ? 443 : 80, hint: hint)
        self.scheme = scheme
        self.login = login
        self.path = path.hasPrefix("/") ? path : "/" + path
    }

    private static func login(_ text: Substring) throws(Fault) -> Login {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = decoded(parts[0]), let password = parts.count > 1 ? decoded(parts[1]) : "",
            !user.utf8.contains(UInt8(ascii: ":"))
        else {
            throw Fault(
                message: "the URL's user or password cannot be read",
                hint: "percent-encode '/', '@', ':' and '%' in them: %2F, %40, %3A, %25")
        }
        return Login(user: user, password: password)
    }

    private static func server(_ text: Substring, defaultPort: Int, hint: String) throws(Fault) -> (String, Int) {
        var host = text
        var port: Substring?
        if text.first == "[", let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":", host.contains(":"),
                host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { throw Fault(message: "what stands in brackets in the URL is no IPv6 address", hint: hint) }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let isName = host.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte & 0xdf) || "-._:".utf8.contains(byte)
        }
        guard !host.isEmpty, host.utf8.count <= 253, isName else {
            throw Fault(message: "the URL names no server", hint: hint)
        }
        guard let port else { return (String(host), defaultPort) }
        guard port.utf8.count <= 5, port.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(port),
            (1...65535).contains(number)
        else { throw Fault(message: "the URL's port is no number from 1 to 65535", hint: hint) }
        return (String(host), number)
    }

    /// The text with its percent-encodings taken out; `nil` for one that is none, or no UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                rest.first != UInt8(ascii: "+")
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte & 0xdf) || "-._~".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}
