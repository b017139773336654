/// The token bucket of a throttled link, one a direction: who wants to send reserves the next free time.
///
/// Reserved times follow each other, so that any number of connections share a rate fairly and wake once a piece. A pause
/// earns no burst.
///
/// Belongs to whoever performs the relay.
package final class LinkBucket {
    /// Bytes a second.
    let rate: Int
    private var nextFree = MonotonicInstant(nanoseconds: 0)

    package init(rate: Int) {
        self.rate = max(1, rate)
    }

    /// The most that leaves at once: a twentieth of a second's bytes, between one byte and 64 KiB.
    var piece: Int { max(1, min(64 << 10, rate / 20)) }

    /// When `count` bytes may leave.
    func reserve(_ count: Int, at now: MonotonicInstant) -> MonotonicInstant {
        let start = max(now, nextFree)
        nextFree = start + TimeSpan.seconds(1).scaled(by: Double(count) / Double(rate))
        return start
    }
}
