import WSMCore
import WSMHarness
import WSMRecord

/// How far a run is, as its page is told: what the terminal's screen shows.
///
/// Bounded, whatever the scenario's names and however many instances it has. Times are milliseconds, and say so.
package struct LiveState: LiveText, Sendable {
    struct Clients: Encodable {
        var up: Int
        var planned: Int
        /// Whether some are away that should be there.
        var areMissing: Bool
    }

    struct Flow: Encodable {
        var count: Int
        var perSecond: Double
    }

    struct Latency: Encodable {
        var p50Milliseconds: Double
        var p99Milliseconds: Double

        init?(_ p50: TimeSpan?, _ p99: TimeSpan?) {
            guard let p50, let p99 else { return nil }
            p50Milliseconds = LiveValue.milliseconds(p50)
            p99Milliseconds = LiveValue.milliseconds(p99)
        }
    }

    struct Stage: Encodable {
        var name: String
        var meanMilliseconds: Double
    }

    struct Fault: Encodable {
        var text: String
        var tone: LiveTone?
        /// Since the measured window began; `nil` when it could not be injected.
        var atMilliseconds: Double?
    }

    struct Faults: Encodable {
        var happened: [Fault]
        /// How many more happened before.
        var earlier: Int
        var next: String?
    }

    /// More are told of in one sentence.
    static let instanceLimit = 64

    let type = "state"
    var name: String
    var phase: String
    var elapsedMilliseconds: Double
    /// 0 where nobody knows.
    var totalMilliseconds: Double
    /// Since the run's start.
    var ageMilliseconds: Double
    /// Since the run's start, when the measured window began.
    var measuredFromMilliseconds: Double?
    var clients: Clients
    var published: Flow
    var received: Flow
    var latencyNow: Latency?
    var latencySoFar: Latency?
    var stages: [Stage]
    var instances: [LiveRemark]
    var faults: Faults
    var signs: [String]

    init(_ progress: RunProgress, age: TimeSpan, measuredFrom: TimeSpan?) {
        name = LiveValue.words(progress.name, limit: 120)
        phase = progress.phase.rawValue
        elapsedMilliseconds = LiveValue.milliseconds(progress.elapsed)
        totalMilliseconds = LiveValue.milliseconds(progress.total)
        ageMilliseconds = LiveValue.milliseconds(age)
        measuredFromMilliseconds = measuredFrom.map(LiveValue.milliseconds)
        clients = Clients(
            up: progress.clientsConnected, planned: progress.clientsPlanned,
            areMissing: LiveScreen.missesClients(progress))
        published = Flow(count: progress.published, perSecond: LiveValue.number(progress.publishedPerSecond))
        received = Flow(count: progress.received, perSecond: LiveValue.number(progress.receivedPerSecond))
        latencyNow = Latency(progress.recentP50, progress.recentP99)
        latencySoFar = Latency(progress.p50, progress.p99)
        stages = (progress.stages?.stages ?? []).filter { $0.share.count > 0 }.map {
            Stage(name: $0.name, meanMilliseconds: LiveValue.milliseconds($0.share.mean))
        }
        instances = Self.instances(progress)
        faults = Self.faults(progress)
        signs = SignText.parts(progress.signs)
    }

    private static func instances(_ progress: RunProgress) -> [LiveRemark] {
        guard progress.instances.count <= instanceLimit else {
            let worst = LiveScreen.worst(progress.instances, progress.phase)
            return [LiveRemark(text: InstanceText.summary(progress.instances), tone: LiveTone(worst))]
        }
        return progress.instances.map { instance in
            LiveRemark(
                text: InstanceText.state(instance), tone: LiveTone(LiveScreen.style(instance, progress.phase)))
        }
    }

    private static func faults(_ progress: RunProgress) -> Faults {
        let now = LiveScreen.windowTime(progress)
        let happened = progress.faults.happened.suffix(RunProgress.Faults.limit).map { fault in
            Fault(
                text: LiveValue.words(LiveFaultText.line(fault, at: now).rendered(color: false)), tone: tone(fault),
                atMilliseconds: fault.at.map(LiveValue.milliseconds))
        }
        var next: String?
        if let fault = progress.faults.next, [.warmup, .measuring].contains(progress.phase) {
            next = LiveValue.words(LiveFaultText.next(fault, at: now))
        }
        let hidden = progress.faults.happened.count - happened.count
        return Faults(happened: happened, earlier: progress.faults.earlier + hidden, next: next)
    }

    private static func tone(_ fault: RunProgress.Fault) -> LiveTone? {
        if fault.failure != nil { return .bad }
        guard fault.at != nil, fault.isLasting else { return nil }
        return fault.healedAt == nil ? .bad : .good
    }
}

/// A run's curves so far, column by column; the page continues them from the states that follow.
struct LiveCurves: LiveText {
    let type = "history"
    var stepMilliseconds: Double
    /// Since the run's start, when each step began.
    var startMilliseconds: [Double]
    var p50Milliseconds: [Double?]
    var p99Milliseconds: [Double?]
    var receivedPerSecond: [Double]
    var publishedPerSecond: [Double]

    init(_ history: LiveHistory) {
        stepMilliseconds = LiveValue.milliseconds(history.step)
        startMilliseconds = history.points.map { LiveValue.milliseconds(history.start(of: $0)) }
        p50Milliseconds = history.points.map { $0.p50.map { LiveValue.number(LiveValue.milliseconds($0)) } }
        p99Milliseconds = history.points.map { $0.p99.map { LiveValue.number(LiveValue.milliseconds($0)) } }
        receivedPerSecond = history.points.map { LiveValue.number($0.receivedPerSecond) }
        publishedPerSecond = history.points.map { LiveValue.number($0.publishedPerSecond) }
    }
}
