/// What a measured message carries as its last JSON member, `,"probe":"…"}`: who published it, which one it is, and when
/// it was due, so that it can be told from any other after any relay and read without parsing JSON.
///
/// The member is ``ProbeStamp/encodedLength`` bytes at the very end of the message: eight words of 16 lower-case
/// hexadecimal digits. A message that does not end so is *foreign*: counted, and never an error.
///
/// | word | bits, from the highest |
/// |---|---|
/// | 0 | version 4, kind 4, channel 8, step 16, run 32 |
/// | 1 | publisher 24, sequence 40 |
/// | 2 | intended instant, ns |
/// | 3 | process 32, checksum 32 |
/// | 4…7 | instants at which it was sent, queued, dequeued, published, ns; 0 where unknown |
public struct ProbeStamp: Hashable, Sendable {
    /// What the message is for.
    public enum Kind: UInt8, Sendable {
        /// A message of the load.
        case load = 0
        /// A fence: it marks that a session was certainly subscribed when it arrived. Never counted as a delivery.
        case fence = 1
    }

    public static let version: UInt64 = 2
    /// The length of the whole member with the closing brace: `,"probe":"` + 128 digits + `"}`.
    public static let encodedLength = 10 + 128 + 2
    static let prefix: StaticString = ",\"probe\":\""

    public var kind: Kind
    /// Tells the runs apart that share a broker; drawn anew for each run.
    public var run: UInt32
    /// The channel's number in the run's plan.
    public var channel: UInt8
    public var publisher: PublisherID
    /// Counts the publisher's messages on this channel from 0 without a gap, in the order of its submitting them.
    public var sequence: UInt64
    /// The process whose update this is (its number in the plan), or ``noProcess``.
    public var process: UInt32
    /// Counts the updates of the process from 0.
    public var step: UInt16
    /// When the plan wanted it sent.
    public var intended: MonotonicInstant
    /// When the caller really had it ready: a worker had done its step, or `broadcastData` was called.
    public var sent: MonotonicInstant
    /// When it was put on the broadcast thread's queue; zero without a queue.
    public var queued: MonotonicInstant
    /// When the broadcast thread took it; zero without a queue.
    public var dequeued: MonotonicInstant
    /// When it was handed to the broker's socket or to the memory manager.
    public var published: MonotonicInstant

    public static let noProcess = UInt32.max

    public init(
        kind: Kind = .load, run: UInt32, channel: UInt8 = 0, publisher: PublisherID, sequence: UInt64,
        process: UInt32 = ProbeStamp.noProcess, step: UInt16 = 0, intended: MonotonicInstant
    ) {
        self.kind = kind
        self.run = run
        self.channel = channel
        self.publisher = publisher
        self.sequence = sequence
        self.process = process
        self.step = step
        self.intended = intended
        self.sent = intended
        self.queued = MonotonicInstant(nanoseconds: 0)
        self.dequeued = MonotonicInstant(nanoseconds: 0)
        self.published = MonotonicInstant(nanoseconds: 0)
    }

    /// Puts the stamp at the end of `json`, which must be a JSON object with at least one member.
    ///
    /// The result is what goes over the wire. To stamp the instants of a later stage, take the unstamped bytes again.
    public func appended(to json: [UInt8]) -> [UInt8] {
        precondition(json.last == UInt8(ascii: "}"), "only a JSON object can carry a probe stamp")
        let bodyLength = json.count - 1
        let length = bodyLength + ProbeStamp.encodedLength
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            json.withUnsafeBufferPointer {
                base.initialize(from: $0.baseAddress ?? UnsafePointer(base), count: bodyLength)
            }
            ProbeStamp.prefix.withUTF8Buffer { prefix in
                for index in prefix.indices { base[bodyLength + index] = prefix[index] }
            }
            let digits = base + bodyLength + 10
            storeWords(at: digits, checksum: 0)
            digits[128] = UInt8(ascii: "\"")
            digits[129] = UInt8(ascii: "}")
            let checksum = ProbeStamp.checksum(of: UnsafePointer(base), bodyLength: bodyLength, digits: digits)
            HexDigits.store(UInt64(process) << 32 | UInt64(checksum), at: digits + 48)
            count = length
        }
    }

    /// The same for other sequences of bytes.
    public func appended(to json: some Sequence<UInt8>) -> [UInt8] { appended(to: Array(json)) }

    private func storeWords(at digits: UnsafeMutablePointer<UInt8>, checksum: UInt32) {
        HexDigits.store(
            ProbeStamp.version << 60 | UInt64(kind.rawValue) << 56 | UInt64(channel) << 48 | UInt64(step) << 32
                | UInt64(run), at: digits)
        HexDigits.store(UInt64(publisher.rawValue & 0xff_ffff) << 40 | sequence & 0xff_ffff_ffff, at: digits + 16)
        HexDigits.store(UInt64(bitPattern: intended.nanoseconds), at: digits + 32)
        HexDigits.store(UInt64(process) << 32 | UInt64(checksum), at: digits + 48)
        HexDigits.store(UInt64(bitPattern: sent.nanoseconds), at: digits + 64)
        HexDigits.store(UInt64(bitPattern: queued.nanoseconds), at: digits + 80)
        HexDigits.store(UInt64(bitPattern: dequeued.nanoseconds), at: digits + 96)
        HexDigits.store(UInt64(bitPattern: published.nanoseconds), at: digits + 112)
    }

    /// What a reader found at the end of a message.
    public enum Reading: Hashable, Sendable {
        /// No stamp of ours: somebody else's message.
        case foreign
        /// A stamp; `intact` is false when its checksum does not fit the message's bytes.
        case stamped(ProbeStamp, intact: Bool)
    }

    /// Reads the stamp of a message.
    public static func read(_ message: UnsafeRawBufferPointer) -> Reading {
        guard message.count >= encodedLength, let raw = message.baseAddress else { return .foreign }
        let base = raw.assumingMemoryBound(to: UInt8.self)
        let bodyLength = message.count - encodedLength
        let tail = base + bodyLength
        let hasPrefix = prefix.withUTF8Buffer { expected in
            for index in 0..<expected.count where tail[index] != expected[index] { return false }
            return true
        }
        guard hasPrefix, tail[138] == UInt8(ascii: "\""), tail[139] == UInt8(ascii: "}") else { return .foreign }
        let digits = tail + 10
        var faults: UInt64 = 0
        let word0 = HexDigits.load(digits, faults: &faults)
        let word1 = HexDigits.load(digits + 16, faults: &faults)
        let word2 = HexDigits.load(digits + 32, faults: &faults)
        let word3 = HexDigits.load(digits + 48, faults: &faults)
        let word4 = HexDigits.load(digits + 64, faults: &faults)
        let word5 = HexDigits.load(digits + 80, faults: &faults)
        let word6 = HexDigits.load(digits + 96, faults: &faults)
        let word7 = HexDigits.load(digits + 112, faults: &faults)
        guard faults == 0, word0 >> 60 == version, let kind = Kind(rawValue: UInt8(word0 >> 56 & 0xf)) else {
            return .foreign
        }
        var stamp = ProbeStamp(
            kind: kind, run: UInt32(truncatingIfNeeded: word0), channel: UInt8(truncatingIfNeeded: word0 >> 48),
            publisher: PublisherID(UInt32(word1 >> 40)), sequence: word1 & 0xff_ffff_ffff,
            process: UInt32(word3 >> 32), step: UInt16(truncatingIfNeeded: word0 >> 32),
            intended: MonotonicInstant(nanoseconds: Int64(bitPattern: word2)))
        stamp.sent = MonotonicInstant(nanoseconds: Int64(bitPattern: word4))
        stamp.queued = MonotonicInstant(nanoseconds: Int64(bitPattern: word5))
        stamp.dequeued = MonotonicInstant(nanoseconds: Int64(bitPattern: word6))
        stamp.published = MonotonicInstant(nanoseconds: Int64(bitPattern: word7))
        let sum = checksum(of: base, bodyLength: bodyLength, digits: digits)
        return .stamped(stamp, intact: sum == UInt32(truncatingIfNeeded: word3))
    }

    /// A 32-bit checksum over the body and the stamp's digits, the checksum's own eight left out.
    ///
    /// It is to find corruption, not an enemy: sixteen bytes a step are folded with a 64 × 64 → 128 bit multiplication, the
    /// mixing step of wyhash (github.com/wangyi-fudan/wyhash). The three parts are summed up apart, so that a processor
    /// does them at the same time.
    private static func checksum(
        of base: UnsafePointer<UInt8>, bodyLength: Int, digits: UnsafePointer<UInt8>
    ) -> UInt32 {
        let body = Mixer.sum(base, count: bodyLength)
        let head = Mixer.sum(digits, count: 56)
        let tail = Mixer.sum(digits + 64, count: 64)
        let sum = Mixer.mix(Mixer.mix(body, head), tail)
        return UInt32(truncatingIfNeeded: sum ^ sum >> 32)
    }
}

/// The stamp's checksum of a run of bytes.
private enum Mixer {
    private static let seed: UInt64 = 0x9e37_79b9_7f4a_7c15
    private static let secret: UInt64 = 0xa076_1d64_78bd_642f

    @inline(__always)
    static func sum(_ base: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        var state = seed ^ UInt64(count) << 32
        var offset = 0
        let raw = UnsafeRawPointer(base)
        while offset &+ 16 <= count {
            let first = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let second = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
            state = mix(state ^ second, first)
            offset &+= 16
        }
        if offset &+ 8 <= count {
            state = mix(state, UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset &+= 8
        }
        var rest: UInt64 = 0
        while offset < count {
            rest = rest << 8 | UInt64(base[offset])
            offset &+= 1
        }
        return mix(state, rest)
    }

    /// What the product loses, as where a factor is zero, the word itself keeps.
    @inline(__always)
    static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ seed).multipliedFullWidth(by: word ^ secret)
        return product.high ^ product.low ^ word ^ state << 1
    }
}
