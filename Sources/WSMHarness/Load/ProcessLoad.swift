internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// The API calls of the `processes` and `engine-status` workloads: one thread makes them at the instants of the plan.
///
/// A call returns as soon as the thread pool has the process, so one thread keeps the pace; how late it was is the
/// schedule slip.
final class ProcessLoad: Sendable {
    private enum Call {
        case start(PlannedProcess)
        case resume(PlannedProcess)
        case abort(PlannedProcess)
        case engineStatus(PlannedEngineStatus)
    }

    private struct Entry {
        var at: MonotonicInstant
        /// When it is tried: later than `at` where a process was not ready for it yet.
        var due: MonotonicInstant
        var call: Call
    }

    /// Calls that failed, by what they were.
    struct Refusals: Hashable, Sendable, Codable {
        var starts = 0
        var resumes = 0
        var aborts = 0
    }

    /// How long a resume waits for its process to be suspended.
    private static let patience = TimeSpan.seconds(30)

    private let thread: DedicatedThread
    private let slip = Monitor(LatencyHistogram())
    private let refused = Monitor(Refusals())

    init(plan: LoadPlan, instances: [LiveInstance], clock: LoadClock) {
        let slip = self.slip
        let refused = self.refused
        thread = DedicatedThread(name: "load-api") {
            var pending = Self.agenda(plan, clock)
            while let entry = pending.popLast() {
                guard clock.wait(until: entry.due) else { return }
                if entry.due == entry.at, entry.at >= clock.measuredFrom {
                    slip.withLock { $0.record(.now() - entry.at) }
                }
                if let retry = Self.perform(entry, instances, refused) {
                    let index = pending.firstIndex { $0.due <= retry.due } ?? pending.endIndex
                    pending.insert(retry, at: index)
                }
            }
        }
    }

    var scheduleSlip: LatencyHistogram { slip.withLock { $0 } }
    var refusals: Refusals { refused.withLock { $0 } }
    var hasEnded: Bool { thread.hasEnded }

    /// All calls, the last one first.
    private static func agenda(_ plan: LoadPlan, _ clock: LoadClock) -> [Entry] {
        var entries: [Entry] = []
        func add(_ at: TimeSpan, _ call: Call) {
            entries.append(Entry(at: clock.start + at, due: clock.start + at, call: call))
        }
        for process in plan.processes {
            add(process.at, .start(process))
            switch process.ending {
            case .completed, .failed: break
            case .suspended(let step, let resumeAfter):
                add(process.at + process.length(through: step) + resumeAfter, .resume(process))
            case .aborted(let step): add(process.at + process.length(through: step), .abort(process))
            }
        }
        for status in plan.engineStatus { add(status.at, .engineStatus(status)) }
        // Stable: calls of the same instant keep the plan's order.
        return entries.enumerated().sorted { ($0.element.due, $0.offset) > ($1.element.due, $1.offset) }
            .map(\.element)
    }

    /// Makes a call; returns it with a later instant when its process was not ready.
    private static func perform(
        _ entry: Entry, _ instances: [LiveInstance], _ refused: Monitor<Refusals>
    ) -> Entry? {
        switch entry.call {
        case .start(let process):
            let measure = ProcessMeasure(index: UInt32(process.index), intendedStart: entry.at)
            do {
                try instances[process.instance].startProcess(process.spec, id: process.id, measure: measure)
            } catch {
                refused.withLock { $0.starts += 1 }
            }
        case .resume(let process):
            let instance = instances[process.instance]
            if instance.statusOfProcess(process.id)?.isResumable != true {
                guard entry.due - entry.at < patience else {
                    refused.withLock { $0.resumes += 1 }
                    return nil
                }
                return Entry(at: entry.at, due: .now() + .milliseconds(5), call: entry.call)
            }
            do {
                try instance.resumeProcess(process.id, intended: entry.at)
            } catch {
                refused.withLock { $0.resumes += 1 }
            }
        case .abort(let process):
            do {
                try instances[process.instance].abortProcess(process.id, intended: entry.at)
            } catch {
                refused.withLock { $0.aborts += 1 }
            }
        case .engineStatus(let status):
            instances[status.instance].setGlobalLock(status.globalLock, intended: entry.at)
        }
        return nil
    }
}

extension PlannedProcess {
    /// How long its steps take up to and with this one.
    func length(through step: Int) -> TimeSpan {
        steps.prefix(step + 1).reduce(.zero, +)
    }

    /// The process as an instance runs it.
    ///
    /// An abort is a call of its own.
    var spec: WorkflowSpec {
        let ending: WorkflowSpec.Ending =
            switch ending {
            case .completed, .aborted: .completed
            case .failed(let step): .failed(atStep: step)
            case .suspended(let step, _): .suspended(afterStep: step)
            }
        return WorkflowSpec(name: workflowName, steps: steps, ending: ending, subscriptions: subscriptions)
    }
}
