/// What a relay has carried.
package struct LinkTraffic: Hashable, Sendable {
    /// Connections accepted so far.
    package internal(set) var accepted = 0
    /// Connections open now, at either end.
    package internal(set) var open = 0
    /// Connections whose upstream could not be reached; their client got an RST.
    package internal(set) var unreachable = 0
    /// Bytes from clients to the upstream, and back.
    package internal(set) var bytesUp = 0
    package internal(set) var bytesDown = 0
}
