internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// Everyone who publishes in a run, numbered densely, each with a log of its messages.
///
/// The numbers come from the plan and the cluster's shape alone: first the load's broadcasters, then for each instance its
/// broadcast thread, its API, its fence and its workers.
struct PublisherTable: Sendable {
    let logs: [PublishLog]
    private let broadcasters: Int
    private let workers: Int
    private let channels: [ChannelName: UInt8]

    /// Publishers an instance has beside its workers.
    private static let fixedPerInstance = 3

    init(plan: LoadPlan, instances: Int, workers: Int, trace: SharedTraceLane? = nil) {
        broadcasters = plan.broadcasters.count
        self.workers = workers
        var names: [ChannelName] = [.events, .engineSettings]
        for broadcaster in plan.broadcasters where !names.contains(broadcaster.channel) {
            names.append(broadcaster.channel)
        }
        channels = Dictionary(uniqueKeysWithValues: names.prefix(256).enumerated().map { ($1, UInt8($0)) })
        var logs = plan.broadcasters.map { broadcaster in
            PublishLog(
                publisher: PublisherID(UInt32(broadcaster.index)), instance: UInt16(broadcaster.instance),
                expectedMessages: broadcaster.sendsAt.count, trace: trace)
        }
        for instance in 0..<instances {
            for number in 0..<(Self.fixedPerInstance + workers) {
                logs.append(
                    PublishLog(
                        publisher: PublisherID(UInt32(logs.count)), instance: UInt16(instance),
                        isFence: number == Place.fence.rawValue, trace: trace))
            }
        }
        self.logs = logs
    }

    /// Everyone who publishes to a target: the load's broadcasters, then the fence.
    ///
    /// - Parameter instance: Where they publish: an index into the target's URLs, or the number of those for none of them.
    init(plan: LoadPlan, targetInstance instance: UInt16, trace: SharedTraceLane? = nil) {
        broadcasters = plan.broadcasters.count
        workers = 0
        channels = [.events: Self.targetChannel]
        logs =
            plan.broadcasters.map { broadcaster in
                PublishLog(
                    publisher: PublisherID(UInt32(broadcaster.index)), instance: instance,
                    expectedMessages: broadcaster.sendsAt.count, trace: trace)
            }
            + [
                PublishLog(
                    publisher: PublisherID(UInt32(broadcasters)), instance: instance, isFence: true, trace: trace)
            ]
    }

    /// The number in the stamps of the one channel that there is with a target.
    static let targetChannel: UInt8 = 0

    /// The fence of a target.
    var targetFence: PublishLog { logs[broadcasters] }

    private enum Place: Int {
        case thread = 0
        case api = 1
        case fence = 2
    }

    var count: Int { logs.count }

    /// The channels' names by their numbers.
    var channelNames: [String] { channels.sorted { $0.value < $1.value }.map(\.key.name) }

    /// The channel's number in the stamps; `nil` for one that the plan does not know.
    func number(of channel: ChannelName) -> UInt8? { channels[channel] }

    func log(of source: Submission.Source, instance: Int) -> PublishLog {
        switch source {
        case .load(let index): logs[index]
        case .broadcastThread: logs[first(of: instance) + Place.thread.rawValue]
        case .api: logs[first(of: instance) + Place.api.rawValue]
        case .worker(let number): logs[first(of: instance) + Self.fixedPerInstance + number]
        }
    }

    func fence(of instance: Int) -> PublishLog { logs[first(of: instance) + Place.fence.rawValue] }

    private func first(of instance: Int) -> Int { broadcasters + instance * (Self.fixedPerInstance + workers) }
}
