import WSMCore

/// All that the disturbances of a moment do to one connection.
struct LinkConditions {
    /// The cut that holds it; of several the one that began first.
    var cut: (disturbance: Int, after: LinkFault.AfterCut)?
    var delays: [(disturbance: Int, distribution: Distribution)] = []
    /// Of several throttles the slowest.
    var throttle: LinkThrottle?
}

/// A throttle with its buckets where connections share them.
///
/// Confined to the relay's loop.
final class LinkThrottle {
    let rate: Int
    private let up: LinkBucket?
    private let down: LinkBucket?

    init(rate: Int, isShared: Bool) {
        self.rate = rate
        up = isShared ? LinkBucket(rate: rate) : nil
        down = isShared ? LinkBucket(rate: rate) : nil
    }

    /// The buckets for one connection: the common ones or new ones.
    func buckets() -> (up: LinkBucket, down: LinkBucket) {
        (up ?? LinkBucket(rate: rate), down ?? LinkBucket(rate: rate))
    }
}
