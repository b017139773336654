/// All that the disturbances of a moment do to one connection.
package struct LinkConditions {
    /// Bytes that may wait in one direction of a connection before no more are read.
    package static let flowLimit = 256 << 10

    /// The cut that holds it; of several the one that began first.
    package var cut: (disturbance: Int, after: LinkFault.AfterCut)?
    package var delays: [(disturbance: Int, distribution: Distribution)] = []
    /// Of several throttles the slowest.
    package var throttle: LinkThrottle?

    package init() {}

    /// Whether nothing is done to it.
    package var isEmpty: Bool { cut == nil && delays.isEmpty && throttle == nil }

    /// Puts the flows of a connection, up and down, under these conditions in place of the `old` ones.
    ///
    /// A throttle that stays keeps its buckets.
    package func apply<Bytes>(
        to up: inout LinkFlow<Bytes>, _ down: inout LinkFlow<Bytes>, insteadOf old: LinkConditions
    ) {
        if old.throttle !== throttle {
            let buckets = throttle?.buckets()
            up.bucket = buckets?.up
            down.bucket = buckets?.down
        }
        up.isHeld = cut != nil
        down.isHeld = cut != nil
    }

    /// How long a chunk must wait: all delays together, each drawn anew.
    package func drawDelay(from random: inout CounterRNG) -> TimeSpan {
        delays.reduce(TimeSpan.zero) { $0 + $1.distribution.draw(from: &random) }
    }
}

/// A throttle with its buckets where connections share them.
///
/// Belongs to whoever performs the relay.
package final class LinkThrottle {
    package let rate: Int
    private let up: LinkBucket?
    private let down: LinkBucket?

    init(rate: Int, isShared: Bool) {
        self.rate = rate
        up = isShared ? LinkBucket(rate: rate) : nil
        down = isShared ? LinkBucket(rate: rate) : nil
    }

    /// The buckets for one connection: the common ones or new ones.
    package func buckets() -> (up: LinkBucket, down: LinkBucket) {
        (up ?? LinkBucket(rate: rate), down ?? LinkBucket(rate: rate))
    }
}
