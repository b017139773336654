package import WSMCore

extension FaultSpec {
    /// So long a connection that was cut and on which nobody speaks stays dead before it is reset.
    package static let burial = TimeSpan.seconds(1)

    /// What a relay does for a fault of a link.
    package var linkFault: LinkFault {
        switch action {
        case .linkDelay: .delay(delay ?? .constant(.zero))
        // A line to Redis is one line; each client has a line of its own.
        case .linkThrottle: .throttle(bytesPerSecond: rate ?? 1, isShared: between == .redis)
        default: .cut(afterwards == .resume ? .resume : .reset(within: FaultSpec.burial))
        }
    }
}

extension FaultLink {
    /// The seed for the draws of the relay in this link of an instance.
    package func relaySeed(of instance: Int, seed: UInt64) -> UInt64 {
        switch self {
        case .redis: seed &+ UInt64(instance)
        case .clients: seed &+ UInt64(instance) &+ 1 << 32
        }
    }
}

extension Scenario {
    /// The links that its faults disturb, and in which relays stand therefore.
    package var disturbedLinks: Set<FaultLink> { Set(faults.filter(\.action.breaksLinks).map(\.between)) }
}
