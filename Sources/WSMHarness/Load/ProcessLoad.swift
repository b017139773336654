internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMScenario

/// The API calls of the `processes` and `engine-status` workloads: one thread makes them at the instants of the plan.
///
/// A call returns as soon as the thread pool has the process, so one thread keeps the pace; how late it was is the
/// schedule slip.
final class ProcessLoad: Sendable {
    private struct Entry {
        var at: MonotonicInstant
        /// When it is tried: later than `at` where a process was not ready for it yet.
        var due: MonotonicInstant
        var call: PlannedCall
    }

    /// A call that failed.
    enum Refusal: UInt8, Sendable {
        case start = 0
        case resume = 1
        case abort = 2
    }

    /// Calls that failed, by what they were.
    struct Refusals: Hashable, Sendable, Codable {
        var starts = 0
        var resumes = 0
        var aborts = 0

        mutating func count(_ refusal: Refusal) {
            switch refusal {
            case .start: starts += 1
            case .resume: resumes += 1
            case .abort: aborts += 1
            }
        }

        mutating func add(_ other: Refusals) {
            starts += other.starts
            resumes += other.resumes
            aborts += other.aborts
        }
    }

    /// How long a resume waits for its process to be suspended.
    private static let patience = TimeSpan.seconds(30)

    private let thread: DedicatedThread

    init(plan: LoadPlan, places: [any ProcessPlace], clock: LoadClock, record: any LoadRecord) {
        thread = DedicatedThread(name: "load-api") {
            var pending = Self.agenda(plan, clock)
            var caller = Caller(places: places, clock: clock, record: record)
            var use = LoadThreadUse(clock, record)
            defer { use.end() }
            while let entry = pending.popLast() {
                guard clock.wait(until: entry.due) else { return }
                use.note(.now())
                if entry.due == entry.at, entry.at >= clock.measuredFrom {
                    record.slipped(.now() - entry.at)
                }
                if let retry = caller.perform(entry) {
                    let index = pending.firstIndex { $0.due <= retry.due } ?? pending.endIndex
                    pending.insert(retry, at: index)
                }
            }
        }
    }

    var hasEnded: Bool { thread.hasEnded }

    /// All calls, the last one first.
    private static func agenda(_ plan: LoadPlan, _ clock: LoadClock) -> [Entry] {
        plan.calls.reversed().map { Entry(at: clock.start + $0.at, due: clock.start + $0.at, call: $0.call) }
    }

    /// Makes the calls.
    ///
    /// One that is planned while its instance is down, or for a process that ended with it, is not made, and counted as such.
    private struct Caller {
        let places: [any ProcessPlace]
        let clock: LoadClock
        let record: any LoadRecord
        /// In which life of its instance each process was started, where that was not the first.
        private var lives: [Int: Int] = [:]

        init(places: [any ProcessPlace], clock: LoadClock, record: any LoadRecord) {
            self.places = places
            self.clock = clock
            self.record = record
        }

        /// Makes a call; returns it with a later instant when its process was not ready.
        mutating func perform(_ entry: Entry) -> Entry? {
            switch entry.call {
            case .start(let process): start(process, entry)
            case .resume(let process): return resume(process, entry)
            case .abort(let process):
                guard let host = host(of: process, entry) else { return nil }
                attempt(.abort) { try host.abortProcess(process.id, intended: entry.at) }
            case .engineStatus(let status):
                guard let host = places[status.instance].host?.host else {
                    places[status.instance].countSkipped(entry.at, clock)
                    return nil
                }
                host.setGlobalLock(status.globalLock, intended: entry.at)
            }
            return nil
        }

        private mutating func start(_ process: PlannedProcess, _ entry: Entry) {
            guard let (host, life) = places[process.instance].host else {
                lives[process.index] = 0
                return places[process.instance].countSkipped(entry.at, clock)
            }
            if life > 1 { lives[process.index] = life }
            let measure = ProcessMeasure(index: UInt32(process.index), intendedStart: entry.at)
            attempt(.start) { try host.startProcess(process.spec, id: process.id, measure: measure) }
        }

        private func resume(_ process: PlannedProcess, _ entry: Entry) -> Entry? {
            guard let host = host(of: process, entry) else { return nil }
            guard host.statusOfProcess(process.id)?.isResumable == true else {
                guard entry.due - entry.at < patience else {
                    record.refused(.resume)
                    return nil
                }
                return Entry(at: entry.at, due: .now() + .milliseconds(5), call: entry.call)
            }
            attempt(.resume) { try host.resumeProcess(process.id, intended: entry.at) }
            return nil
        }

        /// Who has the process; `nil` when the life in which it was started is over.
        private func host(of process: PlannedProcess, _ entry: Entry) -> (any ProcessHost)? {
            let place = places[process.instance]
            guard let (host, life) = place.host, life == lives[process.index] ?? 1 else {
                place.countSkipped(entry.at, clock)
                return nil
            }
            return host
        }

        private func attempt(_ refusal: Refusal, _ call: () throws -> Void) {
            do { try call() } catch { record.refused(refusal) }
        }
    }
}

/// Who takes the calls of the API: an instance, or the worker process of one.
protocol ProcessHost: Sendable {
    func startProcess(_ spec: WorkflowSpec, id: OrchestratorUUID, measure: ProcessMeasure?) throws
    func resumeProcess(_ id: OrchestratorUUID, intended: MonotonicInstant?) throws
    func abortProcess(_ id: OrchestratorUUID, intended: MonotonicInstant?) throws
    func statusOfProcess(_ id: OrchestratorUUID) -> ProcessStatus?
    func setGlobalLock(_ locked: Bool, intended: MonotonicInstant?)
}

extension LiveInstance: ProcessHost {}
extension LiveWorker: ProcessHost {}
