package import WSMCore
package import WSMRecord

/// All that one event loop's observer knows at the end of a run: a value that may leave the loop.
package struct LoopRecord: Sendable {
    package let channel: UInt8
    package internal(set) var sessions: ContiguousArray<ObservedSession> = []
    var ledger: SessionLedger
    package internal(set) var sightings = Sightings()
    package internal(set) var stages = StageHistograms()
    /// Of measured messages and clients that read at full speed.
    package internal(set) var skew: SkewTable
    /// Messages without a stamp of this run: all, and those received in the measured window.
    package internal(set) var foreign: Int64 = 0
    package internal(set) var measuredForeign: Int64 = 0
    package internal(set) var connectFailures: [UInt32: ConnectFailures] = [:]
    /// Updates of processes whose step was compared, and those that it was too late to compare.
    package internal(set) var stepsChecked: Int64 = 0
    package internal(set) var stepsUnchecked: Int64 = 0

    /// The tries of one client that came to nothing.
    package struct ConnectFailures: Hashable, Sendable {
        package internal(set) var count: Int64
        package internal(set) var first: MonotonicInstant
    }

    init(channel: UInt8, publisherCount: Int) {
        self.channel = channel
        self.ledger = SessionLedger(publisherCount: publisherCount)
        self.skew = SkewTable(publisherCount: publisherCount)
    }
}
