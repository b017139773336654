internal import WSMCore
internal import WSMManagers

/// The processes of an instance: what the reference keeps in its database.
///
/// From any thread.
///
/// It holds at most ``limit`` processes; the oldest that have ended go first.
final class ProcessTable: Sendable {
    static let limit = 100_000

    private struct State {
        var processes: [OrchestratorUUID: WorkflowProcess] = [:]
        var order: [OrchestratorUUID] = []
        var firstKept = 0
    }

    private let state = Monitor(State())

    func insert(_ process: WorkflowProcess) {
        state.withLock { state in
            state.processes[process.id] = process
            state.order.append(process.id)
            while state.processes.count > Self.limit, state.firstKept < state.order.count {
                state.processes[state.order[state.firstKept]] = nil
                state.firstKept += 1
            }
            if state.firstKept > Self.limit {
                state.order.removeFirst(state.firstKept)
                state.firstKept = 0
            }
        }
    }

    func get(_ id: OrchestratorUUID) -> WorkflowProcess? {
        state.withLock { $0.processes[id] }
    }

    /// Changes a process under the table's lock; `nil` when it is not there.
    func update<Result: Sendable>(
        _ id: OrchestratorUUID, _ body: (inout WorkflowProcess) -> Result
    ) -> Result? {
        state.withLock { state in
            guard let place = state.processes.index(forKey: id) else { return nil }
            return body(&state.processes.values[place])
        }
    }

    /// The newest processes, the newest first.
    func newest(_ count: Int) -> [WorkflowProcess] {
        state.withLock { state in
            state.order[state.firstKept...].reversed().prefix(count).compactMap { state.processes[$0] }
        }
    }

    func ids(with status: ProcessStatus) -> [OrchestratorUUID] {
        state.withLock { state in
            state.order[state.firstKept...].filter { state.processes[$0]?.status == status }
        }
    }
}
