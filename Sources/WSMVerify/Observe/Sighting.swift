package import WSMCore

/// A fault that shows at the moment of a receipt, without knowing what was published.
package enum Anomaly: Int, CaseIterable, Sendable {
    /// The checksum does not fit the bytes.
    case corrupted
    /// A publisher that the run does not have.
    case unknownPublisher
    /// A message of another channel than the session's.
    case wrongChannel
    /// Received before the publisher had it ready.
    case beforeSent
    /// Received in the same session before.
    case duplicate
    /// Received after a later message of the same publisher.
    case late
    /// Received after a later step of the same process.
    case stepOrder
    /// Received after the session's close.
    case afterClose
}

/// One occurrence of an anomaly: who, what, when.
package struct Sighting: Sendable {
    package var client: UInt32
    package var instance: UInt16
    package var publisher: UInt32
    package var sequence: UInt64
    package var process: UInt32 = ProbeStamp.noProcess
    package var step: UInt16 = 0
    /// The step that was seen before, or the channel that was expected.
    package var other: UInt64 = 0
    package var at: MonotonicInstant
}

/// How often each anomaly was seen, and its earliest occurrence.
package struct Sightings: Sendable {
    private var counts = [Int64](repeating: 0, count: Anomaly.allCases.count)
    private var earliest = [Sighting?](repeating: nil, count: Anomaly.allCases.count)

    package init() {}

    package func count(_ anomaly: Anomaly) -> Int64 { counts[anomaly.rawValue] }
    package func first(_ anomaly: Anomaly) -> Sighting? { earliest[anomaly.rawValue] }

    /// Counts one more; `sighting` is asked for only when it may be the earliest.
    mutating func note(_ anomaly: Anomaly, _ sighting: Sighting) {
        counts[anomaly.rawValue] += 1
        if let known = earliest[anomaly.rawValue], known.at <= sighting.at { return }
        earliest[anomaly.rawValue] = sighting
    }

    mutating func add(_ other: Sightings) {
        for anomaly in Anomaly.allCases {
            counts[anomaly.rawValue] += other.count(anomaly)
            guard let sighting = other.first(anomaly) else { continue }
            if let known = first(anomaly), known.at <= sighting.at { continue }
            earliest[anomaly.rawValue] = sighting
        }
    }
}
