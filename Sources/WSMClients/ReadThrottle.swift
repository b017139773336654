import WSMCore

/// The token bucket of a slow reader: what it reads now, it may not read later.
///
/// A debt rather than a store: a read of n bytes puts off the next one by n / rate, so that the mean rate holds whatever
/// the size of the reads, and a pause earns no burst.
struct ReadThrottle {
    /// Bytes a second.
    let rate: Int
    /// When the next read may be made.
    private(set) var nextRead: MonotonicInstant

    init(rate: Int, at now: MonotonicInstant) {
        self.rate = max(1, rate)
        self.nextRead = now
    }

    /// What one read takes at most: a tenth of a second's bytes, between 64 bytes and 16 KiB.
    var chunk: Int { max(64, min(16 * 1024, rate / 10)) }

    /// Accounts for `count` bytes that were read at `now`.
    mutating func consumed(_ count: Int, at now: MonotonicInstant) {
        nextRead = max(nextRead, now) + TimeSpan.seconds(1).scaled(by: Double(count) / Double(rate))
    }
}
