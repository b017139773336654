import Testing
import WSMCore

@Suite("The probe stamp")
struct ProbeStampTests {
    func stamp() -> ProbeStamp {
        var stamp = ProbeStamp(
            kind: .load, run: 0xdead_beef, channel: 7, publisher: PublisherID(0x12_3456), sequence: 0x98_7654_3210,
            process: 42, step: 3, intended: MonotonicInstant(nanoseconds: 123_456_789_012_345))
        stamp.sent = MonotonicInstant(nanoseconds: 123_456_789_012_999)
        stamp.queued = MonotonicInstant(nanoseconds: 1)
        stamp.dequeued = MonotonicInstant(nanoseconds: .max)
        stamp.published = MonotonicInstant(nanoseconds: -1)
        return stamp
    }

    func read(_ bytes: [UInt8]) -> ProbeStamp.Reading { bytes.withUnsafeBytes { ProbeStamp.read($0) } }

    @Test("What is written is read again, whatever the message", arguments: [0, 1, 7, 8, 9, 200])
    func roundTrip(length: Int) {
        let json = #"{"v":""# + String(repeating: "x", count: length) + #""}"#
        let message = stamp().appended(to: json.utf8)
        #expect(message.count == json.utf8.count - 1 + ProbeStamp.encodedLength)
        #expect(read(message) == .stamped(stamp(), intact: true))
    }

    @Test("A stamped message is the same JSON with one more member, written as documented")
    func text() {
        let message = String(decoding: stamp().appended(to: #"{"a":1}"#.utf8), as: UTF8.self)
        #expect(message.hasPrefix(#"{"a":1,"probe":"2007"#))
        #expect(message.hasSuffix(#"ffffffffffffffff"}"#))
    }

    @Test("Any changed byte is noticed")
    func corruption() {
        let message = stamp().appended(to: #"{"name":"invalidateCache","value":{"type":"engineStatus"}}"#.utf8)
        for index in message.indices {
            for flip in [UInt8(1), 2, 0x20, 0x80] {
                var changed = message
                changed[index] ^= flip
                if case .stamped(_, intact: true) = read(changed) {
                    Issue.record("byte \(index) flipped by \(flip) goes unnoticed")
                }
            }
        }
    }

    @Test("Other messages are foreign, and short ones do not trap")
    func foreign() {
        let message = stamp().appended(to: #"{"a":1}"#.utf8)
        for length in message.indices { #expect(read(Array(message.prefix(length))) == .foreign) }
        #expect(read([]) == .foreign)
        #expect(read(Array(#"{"name":"invalidateCache","value":{"type":"engineStatus"}}"#.utf8)) == .foreign)
    }

    @Test("Hexadecimal is read strictly: lower case, digits only")
    func digits() {
        for byte in UInt8.min...UInt8.max {
            let text = Array("0123456789abcde".utf8) + [byte]
            let isDigit = Array("0123456789abcdef".utf8).contains(byte)
            let value = text.withUnsafeBufferPointer { buffer in buffer.baseAddress.flatMap { HexDigits.load($0) } }
            #expect((value != nil) == isDigit, "byte \(byte)")
        }
    }
}
