/// Who may talk to a server that is for this machine's own browser.
///
/// A page of another site may let its own name point to 127.0.0.1 (DNS rebinding), or open a WebSocket to it, which browsers
/// allow: the first shows in `Host`, the second in `Origin`.
enum LocalHost {
    /// Whether a request with this `Host` header means this machine.
    ///
    /// Any port will do: the server may be reached through a tunnel.
    static func isLocal(_ host: String) -> Bool {
        var name = Substring(host.lowercased())
        if name.first == "[" {
            guard let end = name.firstIndex(of: "]") else { return false }
            return name[...end] == "[::1]" && isPort(name[name.index(after: end)...])
        }
        let end = name.firstIndex(of: ":") ?? name.endIndex
        guard isPort(name[end...]) else { return false }
        name = name[..<end]
        return name == "localhost" || name == "127.0.0.1"
    }

    /// Whether a WebSocket may be opened: by what is no browser, or by a page that came from this very server.
    ///
    /// - Parameters:
    ///   - origin: The `Origin` header; `nil` without.
    ///   - host: The `Host` header of the same request, which is local.
    static func isOwnPage(origin: String?, host: String) -> Bool {
        guard let origin else { return true }
        return origin.lowercased() == "http://" + host.lowercased()
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        let digits = text.dropFirst()
        return text.first == ":" && (1...5).contains(digits.count) && digits.allSatisfy { $0.isASCII && $0.isNumber }
    }
}
