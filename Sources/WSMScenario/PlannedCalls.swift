package import WSMCore

/// A call of an instance's API that a plan makes.
package enum PlannedCall: Hashable, Sendable {
    case start(PlannedProcess)
    case resume(PlannedProcess)
    case abort(PlannedProcess)
    case engineStatus(PlannedEngineStatus)
}

extension LoadPlan {
    /// All calls of the API by time; those of the same instant in the plan's order.
    package var calls: [(at: TimeSpan, call: PlannedCall)] {
        var calls: [(at: TimeSpan, call: PlannedCall)] = []
        for process in processes {
            calls.append((process.at, .start(process)))
            switch process.ending {
            case .completed, .failed: break
            case .suspended(let step, let resumeAfter):
                calls.append((process.at + process.length(through: step) + resumeAfter, .resume(process)))
            case .aborted(let step): calls.append((process.at + process.length(through: step), .abort(process)))
            }
        }
        for status in engineStatus { calls.append((status.at, .engineStatus(status))) }
        return calls.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }
}

extension PlannedProcess {
    /// How long its steps take up to and with this one.
    package func length(through step: Int) -> TimeSpan {
        steps.prefix(step + 1).reduce(.zero, +)
    }

    /// The process as an instance runs it.
    ///
    /// An abort is a call of its own.
    package var spec: WorkflowSpec {
        let ending: WorkflowSpec.Ending =
            switch ending {
            case .completed, .aborted: .completed
            case .failed(let step): .failed(atStep: step)
            case .suspended(let step, _): .suspended(afterStep: step)
            }
        return WorkflowSpec(name: workflowName, steps: steps, ending: ending, subscriptions: subscriptions)
    }
}
