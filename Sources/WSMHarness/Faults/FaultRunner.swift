internal import Synchronization
internal import WSMCore
internal import WSMRecord
internal import WSMScenario

/// Injects the faults of a plan at their instants and heals them again, and records what became of each.
///
/// A thread of its own waits for the instants, since Swift's own threads may be busy; tasks do the work, so that faults of
/// different things do not wait for each other. ``finish(deadline:)`` heals what is left and may be called at any time.
final class FaultRunner: Sendable {
    private enum Step: Int {
        case prepare
        case inject
        case heal
    }

    private struct State {
        var records: [FaultRecord]
        /// What is under way for each fault: its steps follow one another.
        var tasks: [Task<Void, Never>?]
        var unfinished = 0
        var isFinishing = false
    }

    /// So long before its instant a fault is prepared.
    private static let preparation = TimeSpan.milliseconds(100)

    private let perform: FaultPerformer
    private let tell: @Sendable (FaultMark) async -> Void
    private let start: MonotonicInstant
    private let end: MonotonicInstant
    private let notes = Mutex<(@Sendable (String) -> Void)?>(nil)
    private let stopped = Monitor(false)
    private let state: Mutex<State>
    private let thread = Mutex<DedicatedThread?>(nil)

    /// - Parameters:
    ///   - plan: What is to break.
    ///   - clock: When the measured window is.
    ///   - performer: Does it.
    ///   - tell: Tells those who observe the clients.
    init(
        _ plan: FaultPlan, clock: LoadClock, performer: FaultPerformer,
        tell: @escaping @Sendable (FaultMark) async -> Void
    ) {
        perform = performer
        self.tell = tell
        start = clock.measuredFrom
        end = clock.end
        let records = plan.faults.map { FaultRecord(planned: $0, dueAt: clock.measuredFrom + $0.at) }
        state = Mutex(State(records: records, tasks: Array(repeating: nil, count: records.count)))
    }

    /// What became of the faults so far, in the order of the plan.
    var records: [FaultRecord] { state.withLock { $0.records } }

    /// How the faults stand, for a display.
    var progress: RunProgress.Faults {
        var progress = RunProgress.Faults()
        let records = self.records
        let happened = records.filter { $0.at != nil || $0.failure != nil }
        progress.earlier = max(0, happened.count - RunProgress.Faults.limit)
        progress.happened = happened.suffix(RunProgress.Faults.limit).map { shown($0) }
        progress.next = records.first { $0.at == nil && $0.failure == nil && $0.dueAt < end }.map { shown($0) }
        return progress
    }

    private func shown(_ record: FaultRecord) -> RunProgress.Fault {
        RunProgress.Fault(
            action: record.planned.action.rawValue, target: record.planned.spec.target,
            plannedAt: record.planned.at, at: record.at.map { $0 - start },
            healedAt: record.healedAt.map { $0 - start }, isLasting: record.planned.spec.length != .zero,
            failure: record.failure)
    }

    /// Whether Redis was taken away for good, so that nothing more can be published.
    var isRedisGone: Bool {
        state.withLock { state in
            state.records.contains { record in
                let isKill = record.planned.action == .redisKill || record.planned.action == .redisRestart
                return isKill && record.at != nil && record.healedAt == nil
            }
        }
    }

    /// Begins to wait for the first instant.
    ///
    /// - Parameter note: Told in words of each fault and its healing, when they happen.
    func begin(note: (@Sendable (String) -> Void)? = nil) {
        notes.withLock { $0 = note }
        let agenda = agenda()
        guard !agenda.isEmpty else { return }
        thread.withLock { thread in
            thread = DedicatedThread(name: "faults") { [self] in
                for entry in agenda {
                    guard stopped.wait(until: entry.at, for: { $0 ? true : nil }) == nil else { return }
                    enqueue(entry.step, entry.fault)
                }
            }
        }
    }

    private func agenda() -> [(at: MonotonicInstant, fault: Int, step: Step)] {
        var entries: [(at: MonotonicInstant, fault: Int, step: Step)] = []
        for (fault, record) in records.enumerated() {
            entries.append((record.dueAt + Self.preparation.scaled(by: -1), fault, .prepare))
            entries.append((record.dueAt, fault, .inject))
            // What outlasts the measured window is healed at its end by ``finish(deadline:)``.
            if let length = record.planned.spec.length, length > .zero, record.dueAt + length < end {
                entries.append((record.dueAt + length, fault, .heal))
            } else if record.planned.spec.length == .zero {
                entries.append((record.dueAt, fault, .heal))
            }
        }
        return entries.sorted { ($0.at, $0.fault, $0.step.rawValue) < ($1.at, $1.fault, $1.step.rawValue) }
    }

    /// Lets the step follow those of the same fault before it.
    private func enqueue(_ step: Step, _ fault: Int) {
        state.withLock { state in
            guard !state.isFinishing || step == .heal else { return }
            let before = state.tasks[fault]
            state.unfinished += 1
            state.tasks[fault] = Task { [self] in
                await before?.value
                switch step {
                case .prepare: await prepare(fault)
                case .inject: await inject(fault)
                case .heal: await heal(fault)
                }
                self.state.withLock { $0.unfinished -= 1 }
            }
        }
    }

    /// The word goes out ahead, so that every observer has it before its clients fall silent, however busy the machine is.
    private func prepare(_ fault: Int) async {
        let record = records[fault]
        await tell(.began(fault: UInt16(clamping: fault), at: record.dueAt))
        await perform.prepare(record.planned)
    }

    private func inject(_ fault: Int) async {
        let planned = records[fault].planned
        guard !state.withLock({ $0.isFinishing }) else { return }
        let at = MonotonicInstant.now()
        do {
            let hit = try await perform.inject(planned)
            state.withLock { state in
                state.records[fault].at = at
                state.records[fault].hit = hit
            }
            note("\(planned.action.rawValue) at \(words(at))")
        } catch {
            fail(fault, "could not be injected: \(error)")
        }
    }

    /// An instant in seconds into the measured window.
    private func words(_ instant: MonotonicInstant) -> String {
        let milliseconds = (instant - start).nanoseconds / 1_000_000
        return "\(Double(milliseconds) / 1000) s"
    }

    private func note(_ text: String) { notes.withLock { $0 }?(text) }

    private func heal(_ fault: Int) async {
        let record = records[fault]
        guard record.at != nil, record.healedAt == nil else { return }
        do {
            try await perform.heal(record.planned)
            let now = MonotonicInstant.now()
            state.withLock { $0.records[fault].healedAt = now }
            await tell(.healed(fault: UInt16(clamping: fault), at: now))
            if record.planned.spec.length != .zero { note("\(record.planned.action.rawValue) healed at \(words(now))") }
        } catch {
            fail(fault, "could not be healed: \(error)")
        }
    }

    private func fail(_ fault: Int, _ what: String) {
        state.withLock { $0.records[fault].failure = what }
        note("\(records[fault].planned.action.rawValue) \(what)")
    }

    /// Injects nothing more, heals what is to be healed, and returns when that is done, or at the deadline: what is not done by
    /// then is recorded as failed.
    func finish(deadline: TimeSpan) async {
        stopped.update { $0 = true }
        let count = state.withLock { state in
            state.isFinishing = true
            return state.records.count
        }
        for fault in 0..<count where records[fault].planned.spec.length != nil { enqueue(.heal, fault) }
        let until = MonotonicInstant.now() + deadline
        while state.withLock({ $0.unfinished > 0 }), MonotonicInstant.now() < until {
            try? await Task.sleep(nanoseconds: 1_000_000)
        }
        state.withLock { state in
            guard state.unfinished > 0 else { return }
            for index in state.records.indices where state.records[index].failure == nil {
                let record = state.records[index]
                guard record.at == nil || (record.healedAt == nil && record.planned.spec.length != nil) else {
                    continue
                }
                state.records[index].failure = "was not done within \(deadline.seconds) s after the load"
            }
        }
    }
}
