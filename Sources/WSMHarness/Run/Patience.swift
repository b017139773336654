internal import WSMCore

/// How long the phases of a run may take.
///
/// A run that was asked to end does so within 5 s, whatever phase it is in: each phase has a share of that time beside its
/// own limit.
struct Patience: Sendable {
    /// From the phase's own beginning.
    var normal: TimeSpan
    /// From the request to end.
    var afterInterruption: TimeSpan

    /// Until Redis and the instances are healed; what starts Redis again takes up to 15 s, and only on a machine that
    /// stands still.
    static let healing = Patience(normal: .seconds(20), afterInterruption: .milliseconds(1000))
    /// From the last planned connect.
    static let connect = Patience(normal: .seconds(15), afterInterruption: .zero)
    static let startFence = Patience(normal: .seconds(10), afterInterruption: .milliseconds(500))
    static let drain = Patience(normal: .seconds(15), afterInterruption: .milliseconds(2000))
    static let endFence = Patience(normal: .seconds(10), afterInterruption: .milliseconds(2700))
    static let stop = Patience(normal: .seconds(5), afterInterruption: .milliseconds(3400))
    /// From the instances' stop until the last close has come to its client.
    static let lastCloses = Patience(normal: .seconds(2), afterInterruption: .milliseconds(3600))
    /// Until Redis has noticed that its subscribers are gone, and the clients' sockets are closed.
    static let close = Patience(normal: .seconds(5), afterInterruption: .milliseconds(3900))

    /// The instant at which the phase that began at `start` is over.
    func deadline(from start: MonotonicInstant, _ interruption: Interruption) -> MonotonicInstant {
        let own = start + normal
        guard let asked = interruption.requestedAt else { return own }
        return min(own, asked + afterInterruption)
    }

    /// What is left of it for a phase that begins now, if nobody asks to end meanwhile.
    func left(_ interruption: Interruption) -> TimeSpan {
        let now = MonotonicInstant.now()
        return max(Self.least, deadline(from: now, interruption) - now)
    }

    /// Even a run in a hurry lets what is under way come to its end.
    private static let least = TimeSpan.milliseconds(100)
}
