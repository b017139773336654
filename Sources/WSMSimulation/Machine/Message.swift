package import WSMCore

/// A message of a simulated run: what its receiver reads of it, and what it weighs.
package final class Message {
    /// With every instant that is known at its publishing.
    package let stamp: ProbeStamp
    /// Of the payload, the stamp included.
    let bytes: Int

    init(_ stamp: ProbeStamp, bytes: Int) {
        self.stamp = stamp
        self.bytes = bytes
    }

    /// With the header of its text frame (RFC 6455, section 5.2).
    var frameBytes: Int { bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10) }
}

/// One call of `broadcast_data(channels, data)`.
struct Broadcast {
    var channels: [ChannelName] = [.events]
    /// Of the data, with its stamp.
    var bytes: Int
    var stamp: ProbeStamp

    init(channels: [ChannelName] = [.events], bytes: Int, stamp: ProbeStamp) {
        self.channels = channels
        self.bytes = bytes
        self.stamp = stamp
    }

    init(_ event: OrchestratorEvent, stamp: ProbeStamp) {
        self.init(bytes: Broadcast.stampedBytes(event.json), stamp: stamp)
    }

    /// The stamp takes the place of the closing brace.
    static func stampedBytes(_ json: String) -> Int { json.utf8.count - 1 + ProbeStamp.encodedLength }

    /// As it goes to the broker or the Memory manager at `instant`.
    mutating func publish(at instant: MonotonicInstant) -> Message {
        stamp.published = instant
        return Message(stamp, bytes: bytes)
    }
}
