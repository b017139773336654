/// What a Redis server has done since its start, by its own counters (`INFO`, section Stats).
struct RedisTraffic: Hashable, Sendable {
    var commands = 0
    var bytesIn = 0
    var bytesOut = 0

    static func + (left: RedisTraffic, right: RedisTraffic) -> RedisTraffic {
        RedisTraffic(
            commands: left.commands + right.commands, bytesIn: left.bytesIn + right.bytesIn,
            bytesOut: left.bytesOut + right.bytesOut)
    }

    /// Takes a line of `INFO` in, if it is one of the counters.
    mutating func read(_ line: some StringProtocol) {
        func number(after key: String) -> Int? { line.hasPrefix(key) ? Int(line.dropFirst(key.count)) : nil }
        if let count = number(after: "total_commands_processed:") { commands = count }
        if let count = number(after: "total_net_input_bytes:") { bytesIn = count }
        if let count = number(after: "total_net_output_bytes:") { bytesOut = count }
    }

    /// What was added since an earlier reading; `nil` where a server began anew in between.
    func since(_ earlier: RedisTraffic) -> RedisTraffic? {
        guard commands >= earlier.commands, bytesIn >= earlier.bytesIn, bytesOut >= earlier.bytesOut else { return nil }
        return RedisTraffic(
            commands: commands - earlier.commands, bytesIn: bytesIn - earlier.bytesIn,
            bytesOut: bytesOut - earlier.bytesOut)
    }
}
