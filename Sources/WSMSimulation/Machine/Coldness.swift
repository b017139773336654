package import WSMCore

/// How cold caches have become in a rest: others have had them meanwhile, and the core has slowed down.
///
/// The first millisecond costs as much as the next two, and these as much as the next four: lines are lost fast at first, and the
/// last ones late. Counted in thousandths of such doublings, log2(1 + rest / 1 ms), in whole numbers.
package struct Coldness: Hashable, Sendable {
    package var thousandths: Int64

    package static let zero = Coldness(thousandths: 0)

    /// Nothing is left that could go cold.
    private static let longest = TimeSpan.seconds(1)

    init(thousandths: Int64) { self.thousandths = thousandths }

    /// What a rest of so long makes of it; between two powers of two along a line.
    package init(after rest: TimeSpan) {
        let millisecond = TimeSpan.milliseconds(1).nanoseconds
        let sum = millisecond + max(0, min(rest, Self.longest).nanoseconds)
        let power = Int64(63 - (sum / millisecond).leadingZeroBitCount)
        let whole = millisecond << power
        thousandths = power * 1000 + (sum - whole) * 1000 / whole
    }

    /// What it costs, where each doubling costs so much.
    func cost(_ perDoubling: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: perDoubling.nanoseconds * thousandths / 1000)
    }

    /// In doublings.
    package var doublings: Double { Double(thousandths) / 1000 }

    static func + (left: Coldness, right: Coldness) -> Coldness {
        Coldness(thousandths: left.thousandths + right.thousandths)
    }

    static func - (left: Coldness, right: Coldness) -> Coldness {
        Coldness(thousandths: left.thousandths - right.thousandths)
    }

    static func * (left: Coldness, count: Int) -> Coldness { Coldness(thousandths: left.thousandths * Int64(count)) }
}

/// When something last ran whose caches a thread shares: the threads of one process that do the same keep them warm for each other.
final class Warmth {
    var ranAt = Simulator.origin
}
