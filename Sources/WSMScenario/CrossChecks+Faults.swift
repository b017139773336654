import WSMCore

/// The checks of `faults` that look at more than one key.
extension CrossChecks {
    mutating func checkFaults() {
        guard let instances = instanceCount else { return }
        let duration = root.duration("duration", .zero) ?? .zero
        for (index, fault) in root.items("faults").enumerated() {
            checkTarget(of: fault, index, instances)
            checkTime(of: fault, index, duration)
            if !root.has("target") { checkMeans(of: fault, index, instances) }
        }
        guard !faults.hasErrors else { return }
        let specs = root.items("faults").compactMap { ScenarioBuilder.fault($0) }
        checkOverlaps(specs, instances, duration)
        checkRecovery(specs, duration)
    }

    private mutating func checkTarget(of fault: TreeReader, _ index: Int, _ instances: Int) {
        guard fault.has("target"), let target = fault.count("target", 0), target >= instances else { return }
        faults.error(
            at: origin(fault, "target"), "faults[\(index)].target: there is no instance \(target)",
            hint: instances == 1 ? "there is one, number 0" : "there are \(instances), numbered from 0")
    }

    private mutating func checkTime(of fault: TreeReader, _ index: Int, _ duration: TimeSpan) {
        let length = "the run lasts \(QuantityWriter.duration(duration))"
        if fault.has("at"), let at = fault.duration("at", .zero), at >= duration {
            let place = at == duration ? "is the end of the run" : "lies after the end of the run"
            faults.error(at: origin(fault, "at"), "faults[\(index)].at \(place)", hint: length)
        }
        guard fault.has("every"), let gap = fault.duration("every", .zero), gap > .zero else { return }
        let count = FaultPlan.count(every: gap, within: duration)
        if count == 0 {
            faults.error(
                at: origin(fault, "every"),
                "faults[\(index)] never happens: the first time comes after the end of the run",
                hint: length)
        }
        if count > Limits.faultOccurrences {
            faults.error(
                at: origin(fault, "every"),
                "faults[\(index)] would happen \(count) times, and \(Limits.faultOccurrences) is the most",
                hint: "make the gap longer or the run shorter")
        }
    }

    /// Whether there is what the fault breaks, and whether it is ours to break.
    private mutating func checkMeans(of fault: TreeReader, _ index: Int, _ instances: Int) {
        guard let action = fault.text("action").flatMap(FaultAction.init(rawValue:)) else { return }
        let cluster = root.inside("cluster")
        let place = origin(fault, "action")
        let usesRedis = cluster.word("manager", ManagerKind.broadcast) == .broadcast
        let isDirect = root.inside("clients").word("transport", Transport.websocket) == .direct
        let link = fault.word("between", FaultLink.redis) ?? .redis
        let what = "faults[\(index)]: \(action.rawValue)"
        if action.breaksRedis || (action.breaksLinks && link == .redis), !usesRedis {
            faults.error(
                at: place, "\(what) needs cluster.manager: broadcast", hint: "the memory manager uses no Redis")
        }
        if action.breaksRedis, cluster.inside("redis").has("url") {
            faults.error(
                at: place, "\(what) cannot be done to cluster.redis.url: that server is not the run's own",
                hint: "set cluster.redis: {mode: embedded}, a private server that the run may break")
        }
        let mode = cluster.inside("redis").word("mode", RedisMode.embedded)
        if action.breaksLinks, link == .redis, mode == .cluster || mode == .sentinel {
            faults.error(
                at: place, "\(what) needs one Redis server: its relay stands before a single one",
                hint: "set cluster.redis: {mode: embedded}, or between: clients")
        }
        if action == .redisFailover, mode != .sentinel {
            faults.error(
                at: place, "\(what) needs cluster.redis.mode: sentinel",
                hint: "only sentinels can make another server the master")
        }
        if isDirect, action.breaksInstances || action.breaksClients || (action.breaksLinks && link == .clients) {
            faults.error(
                at: place, "\(what) makes no sense with clients.transport: direct",
                hint: "without a socket no client loses its connection; set clients.transport: websocket")
        }
        if action.breaksLinks, link == .redis, cluster.inside("redis").text("mode").map({ $0 != "embedded" }) ?? false {
            faults.error(
                at: place, "\(what) needs one Redis: the nodes of a cluster or a sentinel tell their own addresses",
                hint: "set cluster.redis: {mode: embedded}, or between: clients")
        }
        if action == .instancePause, instances > Limits.pausableInstances {
            faults.error(
                at: place, "\(what) needs at most \(Limits.pausableInstances) instances",
                hint: "more of them share event loops, so that others would stand still too")
        }
    }

    // MARK: Faults against each other

    /// What a fault takes hold of, so that another cannot have it at the same time.
    private enum Hold: Hashable {
        case redis
        case instance(Int)
        case link(FaultAction, FaultLink, Int?)
        case clients(FaultAction)
    }

    private func holds(_ spec: FaultSpec, _ instances: Int) -> [Hold] {
        if spec.action.breaksRedis { return [.redis] }
        if spec.action.breaksInstances {
            return spec.target.map { [.instance($0)] } ?? (0..<instances).map { .instance($0) }
        }
        if spec.action.breaksLinks { return [.link(spec.action, spec.between, spec.target)] }
        return spec.action == .clientsStall ? [.clients(spec.action)] : []
    }

    private mutating func checkOverlaps(_ specs: [FaultSpec], _ instances: Int, _ duration: TimeSpan) {
        let all = specs.enumerated().flatMap { FaultPlan.occurrences(of: $1, index: $0, within: duration) }
            .sorted { ($0.at, $0.index) < ($1.at, $1.index) }
        var latest: [Hold: PlannedFault] = [:]
        var reported: Set<Int> = []
        for fault in all {
            for hold in holds(fault.spec, instances) {
                if let before = latest[hold], fault.overlaps(before), reported.insert(fault.index).inserted {
                    report(fault, against: before)
                }
                latest[hold] = fault
            }
        }
    }

    private mutating func report(_ fault: PlannedFault, against before: PlannedFault) {
        let reader = root.items("faults")[fault.index]
        let until = before.healsAt.map { "to \(QuantityWriter.duration($0))" } ?? "to the end of the run"
        let from = QuantityWriter.duration(before.at)
        let other = before.index == fault.index ? "its own time before" : "faults[\(before.index)]"
        faults.error(
            at: origin(reader, reader.has("every") ? "every" : "at"),
            "faults[\(fault.index)] begins at \(QuantityWriter.duration(fault.at)), when \(other) "
                + "(\(before.action.rawValue), from \(from) \(until)) still holds",
            hint: "what is broken already cannot be broken again: move one of them, or make it shorter")
    }

    /// What comes too late to be healed, or to be seen recovering.
    private mutating func checkRecovery(_ specs: [FaultSpec], _ duration: TimeSpan) {
        let bound = root.inside("expect").inside("bounds").duration("recovery", BoundsSpec().recovery) ?? .zero
        for (index, reader) in root.items("faults").enumerated() where index < specs.count {
            // What comes again and again, and is over at once, always has a last time that nobody sees recover.
            if case .every = specs[index].schedule, specs[index].length == .zero { continue }
            let last = FaultPlan.occurrences(of: specs[index], index: index, within: duration).last
            guard let fault = last, let healsAt = fault.healsAt else { continue }
            let place = origin(reader, reader.has("every") ? "every" : "at")
            let text = QuantityWriter.duration
            if healsAt > duration {
                faults.warning(
                    at: place, "faults[\(index)] would last until \(text(healsAt)) and is healed at the end of the run",
                    hint: "the run lasts \(text(duration))")
            } else if healsAt + bound >= duration {
                faults.warning(
                    at: place,
                    "faults[\(index)] is healed at \(text(healsAt)), too late to see within the run whether all has "
                        + "recovered",
                    hint: "recovering may take \(text(bound)) (expect.bounds.recovery), and the run lasts "
                        + text(duration))
            }
        }
    }
}

extension PlannedFault {
    /// Whether it begins while `other`, which began no later, still holds.
    fileprivate func overlaps(_ other: PlannedFault) -> Bool {
        guard let end = other.healsAt else { return true }
        return at < end || at == other.at
    }
}

extension FaultAction {
    /// Whether it breaks Redis itself.
    package var breaksRedis: Bool { rawValue.hasPrefix("redis.") }
    package var breaksInstances: Bool { rawValue.hasPrefix("instance.") }
    package var breaksLinks: Bool { rawValue.hasPrefix("link.") }
    package var breaksClients: Bool { rawValue.hasPrefix("clients.") }
}
