import WSMCore
import WSMHarness
import WSMManagers
import WSMVerify

/// The reference's own defects, planted by its policies in the managers' machines, each beside the policy that has it not.
enum ManagerDefect {
    static let seeds: ClosedRange<UInt64> = 1...20

    static let twins: [Twin] = [
        twin("none: a dead socket, fan-out isolated") { try deadSocket($0, .hardened) },
        twin("serial fan-out with a dead socket") { try deadSocket($0, .reference) },
        twin("none: a stalled client, fan-out isolated") { try stalled($0, .hardened, isStopped: false) },
        twin("serial fan-out with a stalled client that reads on") { try stalled($0, .reference, isStopped: false) },
        twin("serial fan-out with a stalled client, to the stop") { try stalled($0, .reference, isStopped: true) },
        twin("a publish fails, and the thread goes on") { try thread($0, .hardened) },
        twin("the broadcast thread dies on an exception") { try thread($0, .reference) },
        twin("none: as many clients as Redis connections") { try pool($0, connections: 8) },
        twin("clients beyond the Redis pool") { try pool($0, connections: 4) },
        twin("resubscribes and marks the gap by an event") { try resubscribe($0, .resubscribeMarked, .event("gap")) },
        twin("resubscribes and marks the gap by a close") { try resubscribe($0, .resubscribeMarked, .close) },
        twin("resubscribes silently") { try resubscribe($0, .resubscribeSilently, .close) },
        twin("resubscribes one client silently") { try resubscribeOne($0) },
        twin("none: a reply is lost, EXEC is not retried") { try lostReply($0, .persistent) },
        twin("EXEC is retried: published twice") { try lostReply($0, .perBroadcast) },
        twin("none: disconnect_all reaches all") { try shutdown($0, .complete) },
        twin("disconnect_all skips every second client") { try shutdown($0, .skipping) },
        twin("none: the queue is drained at the stop") { try queue($0, drains: true) },
        twin("the queue is not drained at the stop") { try queue($0, drains: false) },
        twin("delivers again after a reconnect") { try deliverAgain($0) },
    ]

    private static func twin(_ name: String, run: @escaping @Sendable (UInt64) throws -> Trial) -> Twin {
        Twin(.manager, name, seeds: seeds) { seed in try await Aside.run { try run(seed) } }
    }

    private static func random(_ seed: UInt64) -> CounterRNG { CounterRNG(seed: seed, stream: .faults, entity: 2) }

    private static func policies(
        _ profile: Profile, _ change: (inout ManagerPolicies) -> Void = { _ in }
    ) -> ManagerPolicies {
        var policies = ManagerPolicies.of(profile)
        change(&policies)
        return policies
    }

    private static func publishSome(_ lab: ManagerLab, _ count: Int) {
        for index in 0..<count { lab.publish(index % lab.fencePublisher) }
    }

    // MARK: Fan-out

    /// A client dies; until its instance notices, its socket fails every send.
    private static func deadSocket(_ seed: UInt64, _ profile: Profile) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.memory, policies(profile))
        let clients = 6
        for number in 0..<clients { lab.connect(UInt32(number)) }
        publishSome(lab, 5 + random.below(10))
        let dead = 1 + random.below(clients - 2)
        lab.breakConnection(of: UInt32(dead))
        lab.tell(0, .sendFailed(lab.id(of: UInt32(dead))))
        let aborted = 2 + random.below(6)
        publishSome(lab, aborted)
        lab.noticeClose(of: UInt32(dead))
        let after = 1 + random.below(5)
        publishSome(lab, after)
        lab.fence()
        let planted = profile == .hardened ? 0 : Int64(aborted * (clients - 1 - dead))
        var expected = Findings(StreamDefect.loss(planted).merging(["isolation": planted]) { $1 })
        expected.lose(planted, .fanOutAborted)
        expected.missedOffline = Int64(aborted + after)
        return Trial(planted: planted, expected: expected, try lab.settle())
    }

    /// A client's socket is full for a while, and the walks of both publishers wait for it.
    private static func stalled(_ seed: UInt64, _ profile: Profile, isStopped: Bool) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.memory, policies(profile))
        let clients = 6
        let stalled = UInt32(1 + random.below(clients - 2))
        for number in 0..<UInt32(clients) { lab.connect(number, isSlow: number == stalled) }
        publishSome(lab, 5 + random.below(10))
        lab.tell(0, .writabilityChanged(lab.id(of: stalled), writable: false))
        publishSome(lab, 2)
        lab.pass(.seconds(1))
        let behind = profile == .hardened ? 0 : Int64(2 * (clients - 1 - Int(stalled)))
        guard isStopped else {
            lab.tell(0, .writabilityChanged(lab.id(of: stalled), writable: true))
            publishSome(lab, 4)
            lab.fence()
            let expected = Findings(["isolation": behind, "bounded-lag": behind])
            return Trial(planted: behind, expected: expected, try lab.settle())
        }
        lab.stop()
        // The reference's Memory manager closes every second client, and with another code. Nothing comes after the two
        // messages that would prove that those behind were still there.
        var expected = Findings(["clean-shutdown": Int64(clients)])
        expected.indeterminate = behind
        return Trial(planted: behind, expected: expected, try lab.settle())
    }

    // MARK: The broadcast thread

    /// Redis refuses one update of the queue.
    private static func thread(_ seed: UInt64, _ profile: Profile) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.broadcast, policies(profile), instances: 2)
        let clients = 4
        for number in 0..<clients { lab.connect(UInt32(number), to: number % 2) }
        var thread = LabThread(lab)
        var publisher = LabPublisher(lab, seed: seed)
        let total = 10 + random.below(10)
        let refused = 2 + random.below(4)
        for index in 0..<total {
            thread.put(lab.submit(0), in: lab)
            thread.work(in: lab) { publisher.publish($0, in: lab, answers: index == refused ? [.refuse] : []) }
            lab.publish(1)
        }
        lab.fence()
        let dead = profile == .reference ? Int64((total - refused - 1) * clients) : 0
        let lost = Int64(clients) + dead
        var expected = Findings(["completeness": lost, "no-silent-loss": lost])
        expected.lose(Int64(clients), .publishFailed)
        expected.lose(dead, .threadDead)
        return Trial(planted: lost, expected: expected, try lab.settle())
    }

    /// A thread is stopped while updates wait; the API goes on for a moment.
    private static func queue(_ seed: UInt64, drains: Bool) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.broadcast, policies(.hardened) { $0.queue.drainsOnStop = drains })
        let clients = 3
        for number in 0..<clients { lab.connect(UInt32(number)) }
        var thread = LabThread(lab)
        var publisher = LabPublisher(lab, seed: seed)
        publishSome(lab, 6)
        let waiting = 1 + random.below(8)
        for _ in 0..<waiting { thread.put(lab.submit(0), in: lab) }
        let left = thread.stop(in: lab) { publisher.publish($0, in: lab, answers: []) }
        lab.publish(1)
        lab.fence()
        lab.stop(queued: left)
        let planted = drains ? 0 : Int64(waiting * clients)
        var expected = Findings([
            "completeness": planted, "no-silent-loss": planted, "clean-shutdown": drains ? 0 : 1,
        ])
        expected.lose(planted, .queueDropped)
        return Trial(planted: planted, expected: expected, try lab.settle())
    }

    // MARK: Redis

    /// Eight clients, each with a Redis connection of its own if there is one; who gets none tries once more.
    private static func pool(_ seed: UInt64, connections: Int) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.broadcast, policies(.reference) { $0.redisPool = connections })
        let clients = 8
        for number in 0..<clients { lab.connect(UInt32(number)) }
        let beyond = clients - connections
        let count = 5 + random.below(10)
        publishSome(lab, count)
        for number in 0..<clients where !lab.isOpen(UInt32(number)) { lab.connect(UInt32(number)) }
        publishSome(lab, count)
        lab.fence()
        var expected = Findings()
        expected.missedOffline = Int64(beyond * 2 * count)
        let trial = Trial(planted: Int64(beyond * 2), expected: expected, try lab.settle())
        guard lab.nodes[0].record.poolExhausted == beyond * 2 else {
            throw UnexpectedCount(
                what: "drops for want of a Redis connection", count: lab.nodes[0].record.poolExhausted)
        }
        return trial
    }

    /// Instance 1 loses its subscription while messages are published, and gets it back.
    private static func resubscribe(_ seed: UInt64, _ brokerLoss: BrokerLoss, _ mark: GapMark) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(
            .broadcast, policies(.hardened) { $0.brokerLoss = brokerLoss }, instances: 2, gapMark: mark)
        for number in 0..<6 { lab.connect(UInt32(number), to: number % 2) }
        publishSome(lab, 4 + random.below(8))
        lab.breakSubscriptions(of: 1)
        let missed = 1 + random.below(6)
        publishSome(lab, missed)
        lab.passToNextTimer()
        let marksByClose = brokerLoss == .resubscribeMarked && mark == .close
        let after = 2 + random.below(4)
        publishSome(lab, after)
        lab.fence()
        let planted = Int64(3 * missed)
        var expected = Findings(["no-silent-loss": brokerLoss == .resubscribeSilently ? planted : 0])
        if marksByClose {
            // The close ends the session before anything proves that the messages were lost.
            expected.indeterminate = planted
            expected.missedOffline = Int64(3 * after)
        } else {
            expected.lose(planted, .brokerGap)
        }
        return Trial(planted: planted, expected: expected, try lab.settle())
    }

    /// One of three clients with a subscription each loses its own; the others miss nothing.
    private static func resubscribeOne(_ seed: UInt64) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.broadcast, policies(.reference) { $0.brokerLoss = .resubscribeSilently })
        for number in 0..<3 { lab.connect(UInt32(number)) }
        publishSome(lab, 4 + random.below(8))
        let hit = lab.nodes[0].subscribed[random.below(3)]
        lab.breakSubscriptions(of: 0) { $0 == hit }
        let missed = 1 + random.below(6)
        publishSome(lab, missed)
        lab.passToNextTimer()
        publishSome(lab, 3)
        lab.fence()
        var expected = Findings(["no-silent-loss": Int64(missed)])
        expected.lose(Int64(missed), .brokerGap)
        return Trial(planted: Int64(missed), expected: expected, try lab.settle())
    }

    /// Redis publishes some messages, and the connection breaks before it says so.
    private static func lostReply(_ seed: UInt64, _ publishing: PublishingPolicy) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(
            .broadcast, policies(.hardened) { $0.publishing = publishing }, instances: 2)
        let clients = 4
        for number in 0..<clients { lab.connect(UInt32(number), to: number % 2) }
        var publisher = LabPublisher(lab, seed: seed)
        var hits = 0
        for index in 0..<40 {
            let isHit = index > 0 && random.below(8) == 0
            if isHit { hits += 1 }
            _ = publisher.publish(lab.submit(0), in: lab, answers: isHit ? [.breakBeforeReply] : [])
            lab.publish(2)
        }
        lab.fence()
        let planted = publishing == .perBroadcast ? Int64(hits * clients) : 0
        var expected = Findings(["at-most-once": planted])
        expected.duplicated = planted
        return Trial(planted: planted, expected: expected, try lab.settle())
    }

    // MARK: Sessions

    private static func shutdown(_ seed: UInt64, _ policy: DisconnectAllPolicy) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.broadcast, policies(.hardened) { $0.disconnectAll = policy })
        let clients = 3 + random.below(6)
        for number in 0..<clients { lab.connect(UInt32(number)) }
        publishSome(lab, 5)
        lab.fence()
        lab.stop()
        let skipped = policy == .skipping ? clients / 2 : 0
        var expected = Findings(["clean-shutdown": Int64(skipped)])
        // The reference says why in a text message of its own.
        expected.foreign = policy == .skipping ? Int64(clients - skipped) : 0
        let trial = Trial(planted: Int64(skipped), expected: expected, try lab.settle())
        guard lab.nodes[0].record.skippedAtShutdown == skipped else {
            throw UnexpectedCount(what: "clients left out at shutdown", count: lab.nodes[0].record.skippedAtShutdown)
        }
        return trial
    }

    /// A client leaves and comes back, and gets again what it had just got.
    private static func deliverAgain(_ seed: UInt64) throws -> Trial {
        var random = random(seed)
        let lab = ManagerLab(.broadcast, policies(.hardened))
        for number in 0..<3 { lab.connect(UInt32(number)) }
        let before = 4 + random.below(8)
        let messages = (0..<before).map { lab.publish($0 % 2) }
        let client = UInt32(random.below(3))
        lab.pass()
        lab.breakConnection(of: client)
        lab.noticeClose(of: client)
        lab.pass()
        lab.connect(client)
        let again = 1 + random.below(before)
        for bytes in messages.suffix(again) { lab.deliver(bytes, to: client) }
        publishSome(lab, 4)
        lab.fence()
        return Trial(
            planted: Int64(again), expected: Findings(["session-bounds": Int64(again)]), try lab.settle())
    }
}

/// A machine did not do what the trial planted.
struct UnexpectedCount: Error, CustomStringConvertible {
    let what: String
    let count: Int

    var description: String { "\(count) \(what)" }
}
