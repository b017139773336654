internal import WSMCore

/// One of the 16,384 slots that a cluster divides its keys and sharded channels into.
///
/// Source: the Redis Cluster specification, "Key distribution model" and "Hash tags".
struct HashSlot: Hashable, Sendable, Comparable {
    static let count = 16_384

    let number: Int

    /// A slot by its number; `nil` when there is none of it.
    init?(_ number: Int) {
        guard (0..<Self.count).contains(number) else { return nil }
        self.number = number
    }

    /// The slot of a channel's name; of its hash tag, if it has one: the first `{…}` with something between.
    init(of channel: ChannelName) {
        let name = Array(channel.name.utf8)
        number = Int(CRC16.checksum(Self.hashed(name[...]))) % Self.count
    }

    static func < (left: HashSlot, right: HashSlot) -> Bool { left.number < right.number }

    private static func hashed(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let open = name.firstIndex(of: UInt8(ascii: "{")) else { return name }
        let rest = name[(open + 1)...]
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")), close > open + 1 else { return name }
        return rest[..<close]
    }
}

/// CRC-16/XMODEM: polynomial 0x1021, from zero, nothing reflected.
enum CRC16 {
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes { crc = (crc << 8) ^ table[Int(UInt8(crc >> 8) ^ byte)] }
        return crc
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : (crc << 1) ^ 0x1021 }
        return crc
    }
}
