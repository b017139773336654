internal import NIOCore

/// Which node of a cluster has which slot, as far as is known.
struct SlotTable: Hashable, Sendable {
    private static let none = UInt16.max

    /// The masters, in the order in which they were met.
    private(set) var nodes: [RedisURL] = []
    private var owners = [UInt16](repeating: SlotTable.none, count: HashSlot.count)

    init() {}

    /// Reads the reply to `CLUSTER SLOTS`.
    ///
    /// - Parameters:
    ///   - reply: For each range of slots: first, last, then the nodes, the master first, each with host and port.
    ///   - url: Who was asked. It lends its login to the others, and its host to those that name none.
    /// - Throws: `protocolViolation` when a range or a node cannot be one.
    init(_ reply: RedisReply, askedAt url: RedisURL) throws(RedisError) {
        guard case .array(let ranges) = reply, ranges.count <= HashSlot.count else {
            throw Self.violation(url, "the reply is no list of ranges")
        }
        for range in ranges {
            guard case .array(let parts) = range, parts.count >= 3, case .integer(let first) = parts[0],
                case .integer(let last) = parts[1], case .array(let master) = parts[2], master.count >= 2,
                case .integer(let port) = master[1]
            else { throw Self.violation(url, "a range is not first, last, node") }
            guard (0..<Int64(HashSlot.count)).contains(first), (first..<Int64(HashSlot.count)).contains(last) else {
                throw Self.violation(url, "there are no slots \(first) to \(last)")
            }
            guard (1...65_535).contains(port) else { throw Self.violation(url, "there is no port \(port)") }
            let node = try Self.server(named: master[0], port: Int(port), askedAt: url)
            let index = try number(of: node)
            for slot in Int(first)...Int(last) { owners[slot] = index }
        }
    }

    /// Who has the slot; `nil` when nobody is known to.
    func owner(of slot: HashSlot) -> RedisURL? {
        let index = Int(owners[slot.number])
        return index < nodes.count ? nodes[index] : nil
    }

    /// Takes in what a node has answered to a command for a slot that is not its own.
    mutating func move(_ redirection: RedisRedirection, askedAt url: RedisURL) throws(RedisError) {
        let node = url.server(host: redirection.host ?? url.host ?? "127.0.0.1", port: redirection.port)
        owners[redirection.slot.number] = try number(of: node)
    }

    /// A node's place in the list; there are never more nodes than slots.
    private mutating func number(of node: RedisURL) throws(RedisError) -> UInt16 {
        if let index = nodes.firstIndex(of: node) { return UInt16(index) }
        guard nodes.count < HashSlot.count else { throw Self.violation(node, "there are more nodes than slots") }
        nodes.append(node)
        return UInt16(nodes.count - 1)
    }

    /// A node that does not know its own address names none, or `?`: it can be reached as the one that was asked.
    private static func server(named name: RedisReply, port: Int, askedAt url: RedisURL) throws(RedisError) -> RedisURL
    {
        let host: String
        switch name {
        case .string(let buffer): host = String(buffer: buffer)
        case .null: host = ""
        default: throw violation(url, "a node's host is no text")
        }
        guard !host.isEmpty, host != "?" else { return url.server(host: url.host ?? "127.0.0.1", port: port) }
        guard NodeAddress.isHost(host) else { throw violation(url, "a node's host cannot be one") }
        return url.server(host: host, port: port)
    }

    private static func violation(_ url: RedisURL, _ what: String) -> RedisError {
        RedisError(.protocolViolation, "Redis at \(url) answered CLUSTER SLOTS with what is none: \(what)")
    }
}
