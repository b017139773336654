internal import WSMCore
internal import WSMScenario

/// One way of making a scenario smaller or plainer.
struct Reduction {
    /// What can be tried, the boldest first; each is smaller or plainer than `scenario`, so that no search goes round in circles.
    let steps: (Scenario) -> [Scenario]

    func steps(from scenario: Scenario) -> [Scenario] { steps(scenario) }

    /// In the order in which they pay: what makes every further trial cheap comes first.
    static var all: [Reduction] { plan + load + [window, earlier, lengths] + plainness }

    /// A lens on one part of a scenario.
    private static func changing<Value>(
        _ part: WritableKeyPath<Scenario, Value>, _ steps: @escaping (Value) -> [Value]
    ) -> Reduction {
        Reduction { scenario in
            steps(scenario[keyPath: part]).map { value in
                var smaller = scenario
                smaller[keyPath: part] = value
                return smaller
            }
        }
    }

    /// Sets a part to what it is by default, if it is anything else.
    private static func plain<Value: Equatable>(
        _ part: WritableKeyPath<Scenario, Value>, _ value: @escaping (Scenario) -> Value
    ) -> Reduction {
        Reduction { scenario in
            guard scenario[keyPath: part] != value(scenario) else { return [] }
            var plainer = scenario
            plainer[keyPath: part] = value(scenario)
            return [plainer]
        }
    }

    private static func changing(
        _ part: WritableKeyPath<Scenario, Int>, from least: Int
    ) -> Reduction {
        changing(part) { Halving.numbers(below: Int64($0), from: Int64(least)).map(Int.init) }
    }

    // MARK: The plan's items

    private static var plan: [Reduction] {
        [
            explicitFaults,
            changing(\.faults) { Halving.sublists(of: $0) },
            changing(\.workload) { workload in Halving.sublists(of: workload).filter { !$0.isEmpty } },
            plain(\.clients.churn) { _ in Rate(perSecond: 0) },
            changing(\.clients.slow.count, from: 0),
            Reduction { scenario in
                Halving.numbers(below: Int64(scenario.clients.count), from: 0).map { count in
                    var smaller = scenario
                    smaller.clients.count = Int(count)
                    smaller.clients.slow.count = min(scenario.clients.slow.count, Int(count))
                    return smaller
                }
            },
            Reduction { scenario in
                Halving.numbers(below: Int64(scenario.cluster.instances), from: 1).map { fewer(Int($0), scenario) }
            },
        ]
    }

    /// Each occurrence of a fault that comes `every` so often as a fault of its own.
    private static var explicitFaults: Reduction {
        Reduction { scenario in
            guard scenario.faults.contains(where: { if case .every = $0.schedule { true } else { false } }) else {
                return []
            }
            var explicit = scenario
            explicit.faults = FaultPlan(scenario).faults.map { planned in
                var fault = planned.spec
                fault.schedule = .at(planned.at)
                return fault
            }
            return [explicit]
        }
    }

    /// The scenario with that many instances; what aimed at one that is gone aims at another.
    private static func fewer(_ instances: Int, _ scenario: Scenario) -> Scenario {
        var smaller = scenario
        smaller.cluster.instances = instances
        for index in smaller.faults.indices {
            if let target = smaller.faults[index].target { smaller.faults[index].target = target % instances }
        }
        if case .weights(let weights) = scenario.clients.assignment {
            smaller.clients.assignment = .weights(Array(weights.prefix(instances)))
        }
        return smaller
    }

    // MARK: The load

    private static var load: [Reduction] {
        [
            eachWorkload { workload in
                guard case .broadcasts(let spec) = workload else { return [] }
                return Halving.numbers(below: Int64(spec.publishers), from: 1).map { count in
                    var smaller = spec
                    smaller.publishers = Int(count)
                    return .broadcasts(smaller)
                }
            },
            eachWorkload { workload in
                // A tenth of one a second is the finest step.
                let tenths = Int64((workload.rate.perSecond * 10).rounded(.up))
                return Halving.numbers(below: tenths, from: 10, step: max(1, tenths / 8)).map {
                    workload.with(rate: Rate(perSecond: Double($0) / 10))
                }
            },
            eachWorkload { workload in
                guard case .processes(let spec) = workload else { return [] }
                return Halving.numbers(below: Int64(spec.steps), from: 1).map { count in
                    var smaller = spec
                    smaller.steps = Int(count)
                    return .processes(smaller)
                }
            },
            eachWorkload { $0.plainer },
        ]
    }

    private static func eachWorkload(_ steps: @escaping (WorkloadSpec) -> [WorkloadSpec]) -> Reduction {
        changing(\.workload) { workload in
            workload.indices.flatMap { index in
                steps(workload[index]).map { smaller in
                    var all = workload
                    all[index] = smaller
                    return all
                }
            }
        }
    }

    // MARK: Times

    /// What times are cut in, in nanoseconds.
    private static let step = TimeSpan.milliseconds(50).nanoseconds

    private static var window: Reduction {
        Reduction { scenario in
            let spans = Halving.numbers(below: scenario.duration.nanoseconds, from: step, step: step).map { length in
                var shorter = scenario
                shorter.duration = TimeSpan(nanoseconds: length)
                return shorter
            }
            guard scenario.warmup > .zero else { return spans }
            var cold = scenario
            cold.warmup = .zero
            return [cold] + spans
        }
    }

    /// All faults earlier by the same time, and the end too.
    private static var earlier: Reduction {
        Reduction { scenario in
            let begins = scenario.faults.compactMap { fault in
                if case .at(let at) = fault.schedule { at.nanoseconds } else { nil }
            }
            guard begins.count == scenario.faults.count, let first = begins.min() else { return [] }
            return Halving.numbers(below: first, from: 0, step: step).map { begin in
                var sooner = scenario
                let shift = TimeSpan(nanoseconds: begin - first)
                for index in sooner.faults.indices {
                    sooner.faults[index].schedule = .at(TimeSpan(nanoseconds: begins[index]) + shift)
                }
                sooner.duration = scenario.duration + shift
                return sooner
            }
        }
    }

    /// Each fault shorter.
    private static var lengths: Reduction {
        Reduction { scenario in
            let parts: [WritableKeyPath<FaultSpec, TimeSpan?>] = [\.duration, \.downtime, \.restartAfter]
            return scenario.faults.indices.flatMap { index in
                parts.flatMap { part -> [Scenario] in
                    guard let length = scenario.faults[index][keyPath: part] else { return [] }
                    return Halving.numbers(below: length.nanoseconds, from: step, step: step).map { span in
                        var shorter = scenario
                        shorter.faults[index][keyPath: part] = TimeSpan(nanoseconds: span)
                        return shorter
                    }
                }
            }
        }
    }

    // MARK: Plain values

    /// What the scenario says beside its size, set to what it is by default: what stays there matters.
    private static var plainness: [Reduction] {
        [
            changing(\.cluster.workers, from: 1),
            plain(\.cluster.executor) { _ in .threadpool },
            plain(\.cluster.subscription) { profile($0).subscription },
            plain(\.cluster.publishing) { profile($0).publishing },
            plain(\.cluster.fanOut) { profile($0).fanOut },
            plain(\.cluster.threadOnError) { profile($0).threadOnError },
            plain(\.cluster.redisPool) { profile($0).redisPool },
            plain(\.cluster.brokerLoss) { profile($0).brokerLoss },
            plain(\.cluster.slowClient) { profile($0).slowClient },
            plain(\.cluster.sendBuffer) { _ in nil },
            plain(\.cluster.pubsubBufferLimit) { _ in nil },
            plain(\.clients.assignment) { _ in .roundRobin },
            plain(\.clients.pongTimeout) { _ in nil },
            plain(\.clients.ping) { _ in ClientsSpec().ping },
            plain(\.clients.reconnect) { _ in ReconnectSpec() },
            changing(\.faults) { faults in
                faults.indices.filter { faults[$0].target != nil || faults[$0].share.millionths != 1_000_000 }.map {
                    index in
                    var plainer = faults
                    plainer[index].target = nil
                    plainer[index].share = Share(millionths: 1_000_000)
                    return plainer
                }
            },
        ]
    }

    private static func profile(_ scenario: Scenario) -> ClusterSpec { ClusterSpec(profile: scenario.cluster.profile) }
}

extension WorkloadSpec {
    fileprivate func with(rate: Rate) -> WorkloadSpec {
        switch self {
        case .processes(var spec):
            spec.rate = rate
            return .processes(spec)
        case .broadcasts(var spec):
            spec.rate = rate
            return .broadcasts(spec)
        case .engineStatus(var spec):
            spec.rate = rate
            return .engineStatus(spec)
        }
    }

    /// The same with one of its properties as plain as can be.
    fileprivate var plainer: [WorkloadSpec] {
        switch self {
        case .processes(let spec):
            return [
                spec.set(\.subscriptions, 0), spec.set(\.failed, .zero), spec.set(\.suspended, .zero),
                spec.set(\.aborted, .zero), spec.set(\.stepDuration, .constant(.milliseconds(1))),
                spec.set(\.arrival, .constant),
            ].compactMap { $0.map(WorkloadSpec.processes) }
        case .broadcasts(let spec):
            let least = BroadcastsSpec(rate: spec.rate).payload
            let payload = spec.payload > least ? spec.set(\.payload, least) : nil
            return [payload, spec.set(\.arrival, .constant)].compactMap { $0.map(WorkloadSpec.broadcasts) }
        case .engineStatus(let spec):
            return [spec.set(\.arrival, .constant)].compactMap { $0.map(WorkloadSpec.engineStatus) }
        }
    }
}

/// A stream's own words, which can be set one by one.
private protocol StreamSpec {}

extension StreamSpec {
    /// The same with one property set; `nil` where it is so already.
    fileprivate func set<Value: Equatable>(_ part: WritableKeyPath<Self, Value>, _ value: Value) -> Self? {
        guard self[keyPath: part] != value else { return nil }
        var changed = self
        changed[keyPath: part] = value
        return changed
    }
}

extension ProcessesSpec: StreamSpec {}
extension BroadcastsSpec: StreamSpec {}
extension EngineStatusSpec: StreamSpec {}
