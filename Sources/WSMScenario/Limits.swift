package import WSMCore

/// The bounds of a scenario.
///
/// They are stated in messages and in the JSON Schema, and hold before anything is allocated.
package enum Limits {
    package static let instances = 1...1000
    package static let workers = 1...1000
    package static let clients = 0...10_000_000
    package static let clientProcesses = 1...256
    package static let publishers = 1...4096
    package static let steps = 1...10_000
    package static let subscriptions = 0...1000
    package static let redisPool = 1...1_000_000
    /// Redis itself makes no cluster of less than three masters.
    package static let redisNodes = 3...16
    package static let redisReplicas = 1...5
    package static let sentinelDownAfter = TimeSpan.milliseconds(100)...TimeSpan.seconds(60)
    package static let weight = 0...1_000_000
    /// What a broadcast weighs with its stamp.
    package static let payload = BroadcastPayload.smallest...(1 << 20)
    package static let slowClientBytes = 1024...(1 << 30)
    package static let sendBuffer = (16 << 10)...(64 << 20)
    package static let readRate = 1...(1 << 30)
    /// The smallest is kept above what a decimal number shows without an exponent.
    package static let rate = 0.0001...10_000_000.0
    package static let rateOrNone = 0.0...10_000_000.0
    package static let duration = TimeSpan.milliseconds(1)...TimeSpan.seconds(24 * 3600)
    package static let warmup = TimeSpan.zero...TimeSpan.seconds(3600)
    /// How long all clients together may take to connect.
    package static let connectPhase = TimeSpan.seconds(24 * 3600)
    /// The longest step of a process, and the longest of the lengths that a distribution is described by.
    package static let step = TimeSpan.seconds(3600)
    package static let pause = TimeSpan.zero...TimeSpan.seconds(3600)
    package static let backoff = TimeSpan.milliseconds(1)...TimeSpan.seconds(3600)
    /// The times under `expect.bounds`.
    package static let bound = TimeSpan.milliseconds(1)...TimeSpan.seconds(3600)
    package static let workloads = 1...64
    package static let faults = 1...1000
    /// How often one fault may happen.
    package static let faultOccurrences = 1000
    /// Instances of one process that have an event loop each, so that one can stand still without the others.
    package static let pausableInstances = 64
    package static let thresholds = 1...1000
    /// Sends, steps and the like that one plan may hold: it is drawn before the run, and lies in memory during it.
    package static let plannedItems = 20_000_000
}
