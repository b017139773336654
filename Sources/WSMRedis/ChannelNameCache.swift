import NIOCore
import WSMCore

/// The names of a connection's channels by their bytes, so that a message costs no string.
struct ChannelNameCache {
    private var names: [ByteBuffer: ChannelName] = [:]
    private var last: (bytes: ByteBuffer, name: ChannelName)?

    /// Remembers a channel that messages may now come on.
    mutating func insert(_ name: ChannelName) {
        names[ByteBuffer(string: name.name)] = name
    }

    /// Forgets a channel.
    mutating func remove(_ name: ChannelName) {
        names[ByteBuffer(string: name.name)] = nil
        last = nil
    }

    /// The name whose bytes these are; made anew if it is not known.
    mutating func name(_ bytes: ByteBuffer) -> ChannelName {
        if let last, last.bytes == bytes { return last.name }
        guard let index = names.index(forKey: bytes) else { return ChannelName(String(buffer: bytes)) }
        last = (names[index].key, names[index].value)
        return names[index].value
    }
}
