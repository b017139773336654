import WSMCore

/// The bytes that a planned broadcast sends: an event as the orchestrator's, filled up to the size that was asked for.
package enum BroadcastPayload {
    private static let head = #"{"name":"load","value":""#
    private static let tail = #""}"#
    /// What the stamp adds: it takes the place of the closing brace.
    private static let stampBytes = ProbeStamp.encodedLength - 1

    /// The smallest message that can carry a probe stamp: an event whose value is empty.
    package static let smallest = head.utf8.count + tail.utf8.count + stampBytes

    /// The unstamped JSON of a message that weighs `bytes` with its stamp; the smallest one if `bytes` is below that.
    package static func json(bytes: Int) -> [UInt8] {
        let filler = max(0, bytes - smallest)
        var json = Array(head.utf8)
        json.reserveCapacity(head.utf8.count + filler + tail.utf8.count)
        // Letters in turn, so that a relay that shifts or repeats bytes changes the message.
        for index in 0..<filler { json.append(UInt8(ascii: "a") + UInt8(index % 26)) }
        json.append(contentsOf: tail.utf8)
        return json
    }
}
