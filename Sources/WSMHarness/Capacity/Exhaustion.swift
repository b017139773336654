internal import WSMRecord

/// What is exhausted where a load is missed, and the figures that say so.
package struct Exhaustion: Hashable, Sendable {
    package var resource: CapacityResource
    /// One sentence each, without a full stop.
    package var evidence: [String]
}

extension Exhaustion {
    /// From where on a thread is called exhausted, as the part of the time in which it had work.
    ///
    /// A queue before a server that is 85 % occupied is six items long (M/M/1: ρ / (1 − ρ)), and grows steeply from there.
    package static let saturated = 0.85
    /// From where on all processors together are.
    package static let machineSaturated = 0.95
    /// From which part of them on other programs may be why.
    package static let othersShare = 0.2

    /// Tells what is exhausted from the runs of the missed load: what most of them say, the first to say so in its words.
    ///
    /// - Parameters:
    ///   - missed: The runs that missed; at least one.
    ///   - carried: The runs of the highest load that was carried; none where nothing was.
    ///   - trustsGenerator: See ``StepJudge/trustsGenerator``.
    package static func judge(
        missed: [RunResult], carried: [RunResult], trustsGenerator: Bool = false
    ) -> Exhaustion {
        let found = missed.map { judge($0, carried: carried, trustsGenerator: trustsGenerator) }
        var counts: [CapacityResource: Int] = [:]
        for each in found { counts[each.resource, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        return found.first { counts[$0.resource] == most } ?? Exhaustion(resource: .unknown, evidence: [])
    }

    /// Tells what is exhausted in one run. The first rule that applies decides; each rests on figures of the result:
    ///
    /// 1. *generator*: it was late against its own plan, its loops had work for 85 % of the time, or it left its receive
    ///    buffers full (``GeneratorStrain``): what was missed may be its own doing.
    /// 2. What was turned away or lost names its resource: a used-up Redis pool *redis-connections*, refused processes
    ///    *thread-pool*, evicted clients *client-sockets*, a full or dead queue *broadcast-thread*, a broker gap *redis*.
    /// 3. *other-programs*: all processors were 95 % busy, and others than the run and the system used 20 % of them.
    /// 4. *redis*: its server used 85 % of a core; it has one thread for all commands.
    /// 5. The stage that grew most against the carried load, if it makes at least half of the latency's growth (p99 each):
    ///    queue and publish *broadcast-thread*; write *instance-loop*; worker, broker and wire, in which somebody may wait
    ///    for an instance's loop, *instance-loop* if that is saturated. If not: worker *thread-pool* where workflow
    ///    processes ran and *publishers* where only broadcasts did; broker *redis*; wire *generator* if the clients' loops,
    ///    at which it ends, were late or lacked a CPU, else *client-sockets*.
    /// 6. *instance-loop*: the busiest had work for 85 % of the time, or an instance used 85 % of a core.
    /// 7. *target*: nobody sees into it; *generator* if the clients' loops were late or lacked a CPU.
    /// 8. *machine*: all processors were 95 % busy, and no part alone was at its end.
    /// 9. *unknown*.
    private static func judge(_ result: RunResult, carried: [RunResult], trustsGenerator: Bool) -> Exhaustion {
        let strain = GeneratorStrain(result)
        if !strain.isNone, !trustsGenerator { return Exhaustion(resource: .generator, evidence: strain.findings) }
        if let found = turnedAway(result) { return found }
        if !trustsGenerator, let found = otherPrograms(result) { return found }
        let late = trustsGenerator ? [] : strain.lateness
        return redis(result) ?? stage(result, carried: carried, lateClients: late) ?? instanceLoop(result)
            ?? rest(result, lateClients: late)
    }

    // MARK: The rules

    private static func turnedAway(_ result: RunResult) -> Exhaustion? {
        let instances = result.instances
        func sum(_ field: KeyPath<InstanceResult, Int>) -> Int { instances.reduce(0) { $0 + $1[keyPath: field] } }
        let pool = sum(\.poolExhausted)
        if pool > 0 {
            return Exhaustion(
                resource: .redisConnections,
                evidence: ["\(pool) times an instance had no Redis connection left for a client (cluster.redisPool)"])
        }
        if let starts = result.generator?.refusedStarts {
            return Exhaustion(resource: .threadPool, evidence: ["the full thread pool refused \(starts) processes"])
        }
        let lost = result.delivery.lostByCause
        let evicted = (lost["evicted"] ?? 0) - (result.delivery.lostBySlowReaders ?? 0)
        if evicted > 0 {
            return Exhaustion(
                resource: .clientSockets,
                evidence: ["\(evicted) deliveries were lost to clients that the slow-client policy cut off"])
        }
        for (cause, resource, text) in [
            ("queue-dropped", CapacityResource.broadcastThread, "were dropped by the full queue"),
            ("thread-dead", .broadcastThread, "were lost because the broadcast thread had ended"),
            ("broker-gap", .redis, "were lost while Redis had cut a subscription off"),
        ] {
            if let count = lost[cause], count > 0 {
                return Exhaustion(resource: resource, evidence: ["\(count) deliveries \(text)"])
            }
        }
        return nil
    }

    private static func redis(_ result: RunResult) -> Exhaustion? {
        guard let busy = share(result.resources.redis?.cpuSeconds, of: result), busy >= saturated else { return nil }
        return Exhaustion(resource: .redis, evidence: ["Redis used \(percent(busy)) of a core, and it has one thread"])
    }

    private static func otherPrograms(_ result: RunResult) -> Exhaustion? {
        guard let cpu = result.generator?.cpu, let others = cpu.otherPrograms, cpu.machineBusy >= machineSaturated,
            others >= othersShare
        else { return nil }
        return Exhaustion(
            resource: .otherPrograms,
            evidence: [
                "the machine's processors were \(percent(cpu.machineBusy)) busy, and \(percent(others)) were used by "
                    + "programs that have nothing to do with the run"
            ])
    }

    private static func stage(
        _ result: RunResult, carried: [RunResult], lateClients: [String]
    ) -> Exhaustion? {
        let growth = growth(\.latency, result, carried)
        let stages: [(name: String, field: KeyPath<StageLatencies, LatencySummary>)] = [
            ("worker", \.worker), ("queue", \.queue), ("publish", \.publish), ("broker", \.broker), ("write", \.write),
            ("wire", \.wire),
        ]
        let grown = stages.map { stage in
            (name: stage.name, by: self.growth((\RunResult.stages).appending(path: stage.field), result, carried))
        }
        guard growth > 0, let most = grown.max(by: { $0.by < $1.by }), Double(most.by) >= Double(growth) / 2 else {
            return nil
        }
        var evidence = [
            "the stage \(most.name) grew by \(milliseconds(most.by)) of the latency's \(milliseconds(growth)) (p99)"
        ]
        let loop = loopFinding(result)
        switch most.name {
        case "queue", "publish":
            if let busy = threadBusy(result) {
                evidence.append("publishing took \(percent(min(busy, 1))) of each broadcast thread's time")
            }
            return Exhaustion(resource: .broadcastThread, evidence: evidence)
        case "write": return Exhaustion(resource: .instanceLoop, evidence: evidence + (loop.map { [$0] } ?? []))
        default: break
        }
        if let loop { return Exhaustion(resource: .instanceLoop, evidence: evidence + [loop]) }
        switch most.name {
        case "worker":
            // Only updates of processes go through a queue.
            let hasProcesses = result.stages.queue.count > 0
            return Exhaustion(resource: hasProcesses ? .threadPool : .publishers, evidence: evidence)
        case "broker": return Exhaustion(resource: .redis, evidence: evidence)
        default:
            return Exhaustion(
                resource: lateClients.isEmpty ? .clientSockets : .generator, evidence: evidence + lateClients)
        }
    }

    private static func instanceLoop(_ result: RunResult) -> Exhaustion? {
        loopFinding(result).map { Exhaustion(resource: .instanceLoop, evidence: [$0]) }
    }

    private static func rest(_ result: RunResult, lateClients: [String]) -> Exhaustion {
        if result.setup.manager == "target", !lateClients.isEmpty {
            return Exhaustion(resource: .generator, evidence: lateClients)
        }
        if result.setup.manager == "target" {
            let used = result.resources.instances.reduce(0) { $0 + $1.cpuSeconds }
            let cpu = share(used, of: result).flatMap { $0 > 0 ? ": its processes used \(percent($0)) of a core" : nil }
            return Exhaustion(resource: .target, evidence: ["nobody sees into a target" + (cpu ?? "")])
        }
        if let busy = result.generator?.cpu?.machineBusy, busy >= machineSaturated {
            return Exhaustion(
                resource: .machine,
                evidence: [
                    "the machine's processors were \(percent(busy)) busy, by the system and the load generator together"
                ]
            )
        }
        return Exhaustion(resource: .unknown, evidence: ["no part of the system was seen at its end"])
    }

    // MARK: Figures

    /// That an instance's loop is saturated, in words; `nil` if none is.
    private static func loopFinding(_ result: RunResult) -> String? {
        if let loop = result.generator?.cpu?.instanceLoop.occupied, loop >= saturated {
            return "the busiest instance's event loop had work for \(percent(min(loop, 1))) of the time"
        }
        let most = result.resources.instances.map(\.cpuSeconds).max()
        guard let busy = share(most, of: result), busy >= saturated, result.setup.manager != "target" else {
            return nil
        }
        return "the busiest instance used \(percent(busy)) of a core"
    }

    /// The part of their time that the broadcast threads were publishing in; with pipelining it can be more than all.
    private static func threadBusy(_ result: RunResult) -> Double? {
        let publish = result.stages.publish
        guard publish.count > 0, result.setup.instances > 0 else { return nil }
        let seconds = Double(publish.mean) * Double(publish.count) / 1e9
        return share(seconds / Double(result.setup.instances), of: result)
    }

    /// How much the p99 of a summary is over that of the carried load.
    private static func growth(
        _ field: KeyPath<RunResult, LatencySummary>, _ result: RunResult, _ carried: [RunResult]
    ) -> Int64 {
        let before = carried.map { $0[keyPath: field].p99 }.sorted()
        return result[keyPath: field].p99 - (before.isEmpty ? 0 : before[before.count / 2])
    }

    private static func share(_ cpuSeconds: Double?, of result: RunResult) -> Double? {
        guard let cpuSeconds, result.durationNanoseconds > 0 else { return nil }
        return cpuSeconds / (Double(result.durationNanoseconds) / 1e9)
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
    private static func milliseconds(_ nanoseconds: Int64) -> String {
        "\(Int((Double(nanoseconds) / 1e6).rounded())) ms"
    }
}
