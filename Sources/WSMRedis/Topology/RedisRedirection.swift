/// `MOVED slot host:port`: a node of a cluster names the one that has the slot.
struct RedisRedirection: Hashable, Sendable {
    let slot: HashSlot
    /// `nil`: the host of the node that was asked, only the port differs.
    let host: String?
    let port: Int

    /// Whether an error of Redis begins as a redirection does.
    static func isRedirection(_ message: String) -> Bool { message.hasPrefix("MOVED ") || message == "MOVED" }

    /// Reads the error's text; `nil` when it is none, or names nothing that could be a node.
    init?(_ message: String) {
        let words = message.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "MOVED", let slot = Int(decimal: words[1]).flatMap({ HashSlot($0) }) else {
            return nil
        }
        // An IPv6 address has colons of its own: the last one is before the port.
        guard let colon = words[2].lastIndex(of: ":"),
            let port = Int(decimal: words[2][words[2].index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        let host = words[2][..<colon]
        guard host.isEmpty || NodeAddress.isHost(host) else { return nil }
        self.slot = slot
        self.host = host.isEmpty ? nil : String(host)
        self.port = port
    }
}

/// What a server may call another server's address.
enum NodeAddress {
    /// At most as long as a name in DNS, without blanks, controls, or what would end it in a URL.
    static func isHost(_ text: some StringProtocol) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }
    }
}

extension Int {
    /// A number of decimal digits alone, as Redis writes it.
    init?(decimal text: some StringProtocol) {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        self.init(text)
    }
}
