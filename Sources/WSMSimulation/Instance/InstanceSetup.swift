import WSMCore
import WSMManagers
import WSMRecord
import WSMScenario

/// What an instance is made of, the same for each of its lives.
struct InstanceSetup {
    let index: Int
    let simulator: Simulator
    let fleet: Fleet
    let courier: Courier
    let costs: CostModel
    /// What the instances publish to and listen to; `nil` in memory.
    let redis: RedisServer?
    /// What stands between it and Redis, where a fault disturbs that link.
    var redisRelay: Relay?
    let policies: ManagerPolicies
    let kind: ManagerKind
    let gapMark: GapMark
    let workers: Int
    let hasBroadcastThread: Bool
    let seed: UInt64
    let probe: any SimulationProbe
    /// The cores of a shared machine, with the loop's thread and those of the clients there.
    var processors: Processors?
    var loop: SimulatedThread?
    var clientLoops: ClientLoops?
    var sabotage: Sabotage?

    /// Where a socket counts as full: the reference waits at the 64 KiB of its server's transport.
    var highWaterMark: Int { managerWaits ? 64 << 10 : policies.slowClient.threshold }

    /// Whether the manager itself waits for a client whose socket is full.
    private var managerWaits: Bool {
        kind == .memory ? policies.fanOut == .serial : policies.subscription == .perClient
    }

    /// Whether a full socket ends the connection.
    var evictsWhenFull: Bool {
        highWaterMark == policies.slowClient.threshold && policies.slowClient.policy != .drop
    }
}

/// One instance over all its lives: it may be killed or stopped, and started again.
final class InstanceSlot {
    let setup: InstanceSetup
    /// The life that is going on; `nil` while it is down.
    private(set) var instance: Instance?
    /// The life that takes connections.
    var listening: Instance? { instance?.isListening == true ? instance : nil }
    private(set) var lives = 0
    private var pastCounts = InstanceCounts()
    /// Lives that have ended: what is on the agenda of their threads finds them dead, and not gone.
    private var former: [Instance] = []
    var stopReport = StopReport()
    /// Stops in order that began while updates waited in the queue.
    var stopsWithQueue = 0

    init(_ setup: InstanceSetup) { self.setup = setup }

    var counts: InstanceCounts {
        var sum = pastCounts
        if let instance { sum.add(instance.counts) }
        return sum
    }

    /// Lets go of all lives, at the end of the simulation.
    func forgetLives() {
        instance = nil
        former = []
    }

    /// The queues of all lives, for the check of Little's law.
    var accounts: [(String, QueueAccount)] {
        (former + (instance.map { [$0] } ?? [])).flatMap { life in
            [("the event loop of instance \(setup.index)", life.inputs)]
                + (life.thread.map { [("the broadcast thread of instance \(setup.index)", $0.account)] } ?? [])
        }
    }

    /// The life that a connection was made to: the one that goes on, or one that still closes its clients.
    func life(of connection: Int) -> Instance? {
        if let instance, instance.owns(connection) { return instance }
        return former.last { $0.owns(connection) }
    }

    /// Something planned came to nothing because the instance was down.
    func countSkipped() { pastCounts.skippedWhileDown += 1 }

    func start() {
        lives += 1
        let isFirst = lives == 1
        instance = Instance(setup)
        instance?.start()
        if !isFirst { setup.probe.cameUp(at: setup.simulator.now) }
    }

    /// Takes the life away, so that no load goes to it any more; what it still does belongs to nobody.
    ///
    /// The clients of a stop in order are still told of: they are closed in this life.
    func endLife() -> Instance? {
        guard let ended = instance else { return nil }
        setup.probe.wentDown(at: setup.simulator.now)
        setup.probe.lifeEnded(at: setup.simulator.now)
        pastCounts.add(ended.counts)
        instance = nil
        former.append(ended)
        return ended
    }
}

/// What an instance's stop left behind.
package struct StopReport: Hashable, Sendable {
    /// Clients that had to be cut at the deadline.
    package var clientsCut = 0
    /// Updates that were never published.
    package var updatesLeft = 0
}
