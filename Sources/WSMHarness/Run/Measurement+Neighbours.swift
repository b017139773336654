internal import WSMCore
internal import WSMScenario
internal import WSMVerify

extension Measurement {
    /// What healthy clients felt on instances with slow or stalled clients and on the others; `nil` where nobody was sick.
    var neighbours: Neighbours? {
        let spells = loops.flatMap(\.sickness.spells)
        guard !spells.isEmpty else { return nil }
        let sick = Set(spells.map(\.client))
        let instances = Set(spells.map(\.instance))
        var neighbours = Neighbours()
        neighbours.sickClients = sick.count
        neighbours.besideSick = healthy(besides: sick) { instances.contains($0) }
        neighbours.elsewhere = healthy(besides: sick) { !instances.contains($0) }
        return neighbours
    }

    private func healthy(besides sick: Set<UInt32>, on includes: (UInt16) -> Bool) -> Neighbours.Group {
        var group = Neighbours.Group()
        var clients: Set<UInt32> = []
        for session in loops.flatMap(\.sessions) where includes(session.instance) && !sick.contains(session.client) {
            clients.insert(session.client)
            group.received += Int(session.measured)
        }
        group.clients = clients.count
        // More instances than are told apart share the last group, whoever they are.
        guard subject.scenario.instanceCount <= Limits.pausableInstances else { return group }
        var latencies = LatencyBuckets()
        for timeline in loops.compactMap(\.timeline) {
            latencies.add(timeline.latencies(in: 0..<Timeline.bucketLimit) { includes(UInt16($0)) })
        }
        group.p50 = latencies.percentile(50)?.nanoseconds
        group.p99 = latencies.percentile(99)?.nanoseconds
        return group
    }
}
