/// How a peer broke RFC 6455; the other side then closes with ``closeCode`` and trusts no further byte.
package enum FrameViolation: Hashable, Sendable {
    /// Section 5.1: a server must not mask its frames.
    case masked
    /// Section 5.1: a client must mask its frames.
    case unmasked
    /// Section 5.2: a reserved bit is set and no extension was agreed upon.
    case reservedBits
    /// Section 5.2: an opcode that the RFC leaves undefined.
    case opcode(UInt8)
    /// Section 5.5: a control frame in fragments.
    case fragmentedControl
    /// Section 5.5: a control frame with more than 125 bytes.
    case longControl
    /// Section 5.2: the highest bit of a 64-bit length is set.
    case invalidLength
    /// Section 5.2: a length that a shorter form could have said.
    case lengthNotMinimal
    /// Section 5.4: a continuation although no message has begun.
    case continuationWithoutStart
    /// Section 5.4: a new message although the one before has not ended.
    case messageInsideMessage
    /// Section 5.5.1: a close frame whose body is one byte.
    case closeBodyOfOneByte
    /// Section 7.4: a code that must not stand in a close frame.
    case closeCode(UInt16)
    /// A message or a frame longer than the reader takes: as many bytes.
    case tooBig(limit: Int)

    /// What is answered: 1009 for a message that is too big, else 1002 (section 7.4.1).
    package var closeCode: UInt16 {
        if case .tooBig = self { 1009 } else { 1002 }
    }

    /// The violation in words, from a bounded set, so that it may serve as the key of a counter.
    package var reason: String {
        switch self {
        case .masked: "masked server frame"
        case .unmasked: "unmasked client frame"
        case .reservedBits: "reserved bits set"
        case .opcode(let opcode): "undefined opcode \(opcode)"
        case .fragmentedControl: "fragmented control frame"
        case .longControl: "control frame longer than 125 bytes"
        case .invalidLength: "64-bit length with its highest bit set"
        case .lengthNotMinimal: "length not in its shortest form"
        case .continuationWithoutStart: "continuation without a start"
        case .messageInsideMessage: "new message inside a fragmented one"
        case .closeBodyOfOneByte: "close frame with a body of one byte"
        case .closeCode: "close frame with a reserved code"
        case .tooBig(let limit): "message longer than \(limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB")"
        }
    }

    /// Whether a close frame may say `code`: section 7.4, and the codes that IANA has registered since.
    package static func mayClose(with code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
