/// Lower-case hexadecimal of fixed width, as the probe stamp and UUIDs are written.
public enum HexDigits {
    /// The value of one digit, in either case; `nil` for any other byte.
    @inlinable
    public static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
        default: nil
        }
    }

    /// Appends the lowest `digits` digits of `word`, the highest digit first.
    @inlinable
    public static func append(_ word: UInt64, digits: Int, to bytes: inout [UInt8]) {
        for position in stride(from: digits - 1, through: 0, by: -1) {
            bytes.append(digit(UInt8(truncatingIfNeeded: word >> UInt64(position * 4)) & 0xf))
        }
    }

    /// Writes the 16 digits of `word` at `base`, which must have room for 16 bytes.
    @inlinable
    public static func store(_ word: UInt64, at base: UnsafeMutablePointer<UInt8>) {
        for position in 0..<16 {
            base[position] = digit(UInt8(truncatingIfNeeded: word >> UInt64((15 &- position) &* 4)) & 0xf)
        }
    }

    /// Reads 16 digits at `base`; `nil` when one of them is no digit.
    @inlinable
    public static func load(_ base: UnsafePointer<UInt8>) -> UInt64? {
        var faults: UInt64 = 0
        let word = load(base, faults: &faults)
        return faults == 0 ? word : nil
    }

    /// Reads 16 digits at `base`; one that is no digit sets bits of `faults`.
    ///
    /// For several words in a row: they are read side by side, with one check at the end.
    @inlinable
    @inline(__always)
    public static func load(_ base: UnsafePointer<UInt8>, faults: inout UInt64) -> UInt64 {
        load8(base, &faults) << 32 | load8(base + 8, &faults)
    }

    /// Eight digits at once: all bytes of a word are checked and folded together, without a branch a digit.
    @inlinable
    @inline(__always)
    static func load8(_ base: UnsafePointer<UInt8>, _ faults: inout UInt64) -> UInt64 {
        let word = UInt64(bigEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
        let letters = (word & 0x4040_4040_4040_4040) >> 6
        let values = (word & 0x0f0f_0f0f_0f0f_0f0f) &+ letters &* 9
        // A digit is valid when writing its value again gives the same byte; upper case is not written by us.
        let isLetter = ((values &+ 0x0606_0606_0606_0606) & 0x1010_1010_1010_1010) >> 4
        let again = values &+ 0x3030_3030_3030_3030 &+ isLetter &* 0x27
        faults |= again ^ word | values & 0xf0f0_f0f0_f0f0_f0f0
        var folded = (values | values >> 4) & 0x00ff_00ff_00ff_00ff
        folded = (folded | folded >> 8) & 0x0000_ffff_0000_ffff
        return (folded | folded >> 16) & 0xffff_ffff
    }

    @inlinable
    static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &- 10 &+ value
    }
}
