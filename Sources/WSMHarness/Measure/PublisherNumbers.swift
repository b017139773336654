internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMScenario

/// The numbers of everyone who publishes in a run, and of the channels, as they stand in the stamps.
///
/// They come from the plan and the cluster's shape alone, so that each process of a run knows them by itself: first the
/// load's broadcasters, then for each instance its broadcast thread, its API, its fence and its workers.
struct PublisherNumbers: Sendable {
    let broadcasters: Int
    let instances: Int
    let workers: Int
    let channels: [ChannelName: UInt8]

    /// Publishers an instance has beside its workers.
    private static let fixedPerInstance = 3

    private enum Place: Int {
        case thread = 0
        case api = 1
        case fence = 2
    }

    init(plan: LoadPlan, instances: Int, workers: Int) {
        broadcasters = plan.broadcasters.count
        self.instances = instances
        self.workers = workers
        var names: [ChannelName] = [.events, .engineSettings]
        for broadcaster in plan.broadcasters where !names.contains(broadcaster.channel) {
            names.append(broadcaster.channel)
        }
        channels = Dictionary(uniqueKeysWithValues: names.prefix(256).enumerated().map { ($1, UInt8($0)) })
    }

    /// Those of a target, which has one channel and no inside.
    init(targetPlan plan: LoadPlan) {
        broadcasters = plan.broadcasters.count
        instances = 0
        workers = 0
        channels = [.events: PublisherTable.targetChannel]
    }

    var publishersOfInstance: Int { Self.fixedPerInstance + workers }

    /// All publishers: of a target the fence beside the broadcasters.
    var count: Int { instances == 0 ? broadcasters + 1 : broadcasters + instances * publishersOfInstance }

    func number(of source: Submission.Source, instance: Int) -> Int {
        switch source {
        case .load(let index): index
        case .broadcastThread: first(of: instance) + Place.thread.rawValue
        case .api: first(of: instance) + Place.api.rawValue
        case .worker(let number): first(of: instance) + Self.fixedPerInstance + number
        }
    }

    func fence(of instance: Int) -> Int { first(of: instance) + Place.fence.rawValue }

    /// Whether the `place`-th publisher of an instance is its fence.
    static func isFence(_ place: Int) -> Bool { place == Place.fence.rawValue }

    private func first(of instance: Int) -> Int { broadcasters + instance * publishersOfInstance }
}

extension PublisherNumbers {
    /// The numbers of a scenario's run, in whichever process.
    init(_ scenario: Scenario, plan: LoadPlan) {
        let cluster = scenario.cluster
        let workers = cluster.executor == .worker ? cluster.instances : 0
        self.init(plan: plan, instances: cluster.instances + workers, workers: cluster.workers)
    }
}
