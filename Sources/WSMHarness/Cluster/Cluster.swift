internal import NIOCore
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMRedis

/// The instances of a run and the Redis that they share, wherever the instances run.
///
/// The calls come from the run's driver, one after the other, unless said otherwise.
protocol Cluster: Sendable {
    var instanceCount: Int { get }
    /// Where each instance listens on 127.0.0.1; one that starts again keeps its port.
    var ports: [Int] { get }
    /// What the instances publish to and listen to; `nil` in memory.
    var redis: RunRedis? { get }
    /// The event loops of the instances in this process, each once; none where they have processes of their own.
    var eventLoops: [any EventLoop] { get }

    /// Starts the load; it waits for the clock's start.
    func startLoad(_ clock: LoadClock) async throws -> any RunningLoad
    /// Publishes one fence through each instance that is up, and returns when all are published or have failed.
    func publishFences() async
    func states() async -> [InstanceState]
    /// What a display shows of the cluster while the run lasts.
    func glance() async -> ClusterGlance
    /// Stops the instances, all at once.
    ///
    /// What they leave behind is in the reports.
    func stopInstances(deadline: TimeSpan) async throws -> [LiveInstance.StopReport]
    /// Completes what the run's probes and logs know, once the instances have been stopped.
    func finishRecords() async throws
    /// What each instance has counted since its first start.
    func counts() async -> [InstanceCounts]
    /// What each instance has used so far.
    func usage() async -> [PartUsage]
    /// What each worker process has used so far; none without.
    func workerUsage() async -> [PartUsage]
    /// Processes of the cluster that ended without the run's doing.
    func failures() async -> [PartFailure]
    /// Ends everything that the cluster started, Redis too; to be called however the run ends.
    func shutDown() async

    // Faults of single instances, by their numbers: from one task at a time, while the load runs. Each throws a
    // ``HarnessError`` when it could not be done.

    /// Ends the instance at once, as a crash does: nothing is sent, drained or closed in order.
    func kill(_ instance: Int) async throws
    /// Shuts the instance down in order.
    func stop(_ instance: Int, deadline: TimeSpan) async throws
    /// Lets all of the instance stand still until ``resume(_:)``.
    func pause(_ instance: Int) async throws
    func resume(_ instance: Int) async throws
    /// Starts a killed or stopped instance again on its port; its load goes on with what is planned from now on.
    func startAgain(_ instance: Int) async throws
}

extension Cluster {
    func workerUsage() async -> [PartUsage] { [] }
    /// Parts of the run's own process cannot end alone.
    func failures() async -> [PartFailure] { [] }
}

/// What is seen of a cluster at one moment.
struct ClusterGlance: Hashable, Sendable {
    var states: [InstanceState]
    /// What each instance counted, without what was skipped while it was down.
    var counts: [InstanceCounts]
    /// Messages of the load that were submitted so far; `nil` where the publishers' logs already say it.
    var submitted: Int?
}

/// How an instance stands.
struct InstanceState: Hashable, Sendable, Codable {
    /// Whether it runs; a paused one does.
    var isUp: Bool
    /// How its broadcast thread ended; `nil` while it lives, or where there is none.
    var broadcastThread: ThreadEnd?
    /// Updates and direct broadcasts that wait, and processes that run or wait.
    var backlog: Int

    enum ThreadEnd: String, Hashable, Sendable, Codable {
        case stopped
        case dead
    }

    /// Whether it is still busy with what it was given.
    var isWorking: Bool { isUp && broadcastThread == nil && backlog > 0 }
}

/// The load of a run while it is under way; safe from any thread.
protocol RunningLoad: Sendable {
    /// Whether every planned item has been done, or the load was ended.
    var hasEnded: Bool { get }
    /// Complete once the load has ended.
    var figures: LoadFigures { get }
    /// Ends the load now.
    func stop()
}

/// What one part of the system has used.
///
/// Parts in one process share its number and its memory.
struct PartUsage: Hashable, Sendable, Codable {
    var pid: Int32
    /// Since the start of the part.
    var cpuSeconds: Double
    var rssBytes: Int64
    var peakRssBytes: Int64
}
