internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMScenario

/// Everyone who publishes in a run, each with a log of its messages, by the numbers of ``PublisherNumbers``.
struct PublisherTable: Sendable {
    /// The number in the stamps of the one channel that there is with a target.
    static let targetChannel: UInt8 = 0

    let numbers: PublisherNumbers
    let logs: [PublishLog]

    /// - Parameters:
    ///   - numbers: With a block for each worker process behind those of the instances.
    ///   - instances: The instances alone; their number stands for publishers that belong to none.
    init(_ numbers: PublisherNumbers, plan: LoadPlan, instances: Int, trace: SharedTraceLane? = nil) {
        self.numbers = numbers
        var logs = Self.broadcasters(plan, trace) { UInt16($0.instance) }
        for block in 0..<numbers.instances {
            let instance = min(block, instances)
            for place in 0..<numbers.publishersOfInstance {
                logs.append(
                    PublishLog(
                        publisher: PublisherID(UInt32(logs.count)), instance: UInt16(instance),
                        isFence: PublisherNumbers.isFence(place), trace: trace))
            }
        }
        self.logs = logs
    }

    /// Everyone who publishes to a target: the load's broadcasters, then the fence.
    ///
    /// - Parameter instance: Where they publish: an index into the target's URLs, or the number of those for none of them.
    init(plan: LoadPlan, targetInstance instance: UInt16, trace: SharedTraceLane? = nil) {
        numbers = PublisherNumbers(targetPlan: plan)
        let fence = PublishLog(
            publisher: PublisherID(UInt32(numbers.broadcasters)), instance: instance, isFence: true, trace: trace)
        logs = Self.broadcasters(plan, trace) { _ in instance } + [fence]
    }

    private static func broadcasters(
        _ plan: LoadPlan, _ trace: SharedTraceLane?, instance: (PlannedBroadcaster) -> UInt16
    ) -> [PublishLog] {
        plan.broadcasters.map { broadcaster in
            PublishLog(
                publisher: PublisherID(UInt32(broadcaster.index)), instance: instance(broadcaster),
                expectedMessages: broadcaster.sendsAt.count, trace: trace)
        }
    }

    /// The fence of a target.
    var targetFence: PublishLog { logs[numbers.broadcasters] }

    var count: Int { logs.count }

    /// The channels' names by their numbers.
    var channelNames: [String] { numbers.channels.sorted { $0.value < $1.value }.map(\.key.name) }

    /// The channel's number in the stamps; `nil` for one that the plan does not know.
    func number(of channel: ChannelName) -> UInt8? { numbers.channels[channel] }

    func log(of source: Submission.Source, instance: Int) -> PublishLog {
        logs[numbers.number(of: source, instance: instance)]
    }

    func fence(of instance: Int) -> PublishLog { logs[numbers.fence(of: instance)] }
}
