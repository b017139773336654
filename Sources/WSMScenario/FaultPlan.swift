package import WSMCore

/// What breaks in a run, and when: the faults of a scenario, each occurrence of `every` for itself, in the order of their
/// instants.
///
/// A pure function of the scenario; what a share hits is drawn from the seed by ``PlannedFault/pick(from:seed:)``.
package struct FaultPlan: Hashable, Sendable {
    package let faults: [PlannedFault]

    package init(_ scenario: Scenario) {
        let all = scenario.faults.enumerated().flatMap { index, spec in
            FaultPlan.occurrences(of: spec, index: index, within: scenario.duration)
        }
        faults = all.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    package var isEmpty: Bool { faults.isEmpty }

    /// The occurrences of one fault before the end of the measured window, at most ``Limits/faultOccurrences``.
    static func occurrences(of spec: FaultSpec, index: Int, within duration: TimeSpan) -> [PlannedFault] {
        switch spec.schedule {
        case .at(let at): return [PlannedFault(spec, index: index, occurrence: 0, at: at)]
        case .every(let gap):
            let count = min(count(every: gap, within: duration), Limits.faultOccurrences)
            return (0..<count).map { number in
                let at = TimeSpan(nanoseconds: gap.nanoseconds * Int64(number + 1))
                return PlannedFault(spec, index: index, occurrence: number, at: at)
            }
        }
    }

    /// How often a fault happens that comes again and again, the first time after one gap.
    static func count(every gap: TimeSpan, within duration: TimeSpan) -> Int {
        guard gap > .zero, duration > .zero else { return 0 }
        return Int((duration.nanoseconds - 1) / gap.nanoseconds)
    }
}

/// One fault at one instant.
package struct PlannedFault: Hashable, Sendable {
    package let spec: FaultSpec
    /// Its place among the scenario's faults, and which of its occurrences it is.
    package let index: Int
    package let occurrence: Int
    /// Counted from the start of the measured window.
    package let at: TimeSpan

    init(_ spec: FaultSpec, index: Int, occurrence: Int, at: TimeSpan) {
        self.spec = spec
        self.index = index
        self.occurrence = occurrence
        self.at = at
    }

    package var action: FaultAction { spec.action }

    /// When its cause is to be gone; `nil`: not within the run.
    package var healsAt: TimeSpan? { spec.length.map { at + $0 } }

    /// The instances that it aims at.
    package func targets(of instances: Int) -> [Int] { spec.target.map { [$0] } ?? Array(0..<instances) }

    /// Which of `count` clients, links or connections it hits, in ascending order: as many as the share says, at least one
    /// where there is any, each as likely as the other.
    package func pick(from count: Int, seed: UInt64) -> [Int] {
        guard count > 0 else { return [] }
        let wanted = Int((Double(count) * Double(spec.share.millionths) / 1e6).rounded())
        let size = min(count, max(spec.share.millionths > 0 ? 1 : 0, wanted))
        guard size < count else { return Array(0..<count) }
        var random = CounterRNG(seed: seed, stream: .faults, entity: UInt64(index) << 32 | UInt64(occurrence))
        // The first steps of a Fisher-Yates shuffle.
        var numbers = Array(0..<count)
        for place in 0..<size { numbers.swapAt(place, place + random.below(count - place)) }
        return numbers[..<size].sorted()
    }
}

extension FaultSpec {
    /// From its beginning until its cause is gone; `nil`: it does not go within the run.
    package var length: TimeSpan? {
        switch action {
        case .redisRestart, .redisKill: downtime
        case .instanceKill, .instanceStop: restartAfter
        case .redisDisconnectClients, .redisFailover, .clientsDisconnect: .zero
        case .redisPause, .redisSlow, .instancePause, .linkDelay, .linkCut, .linkThrottle, .clientsStall:
            duration ?? .zero
        }
    }
}
