internal import DequeModule
internal import Synchronization
internal import WSMCore

/// The thread pool that runs the processes' steps: `MAX_WORKERS` real threads and a queue of jobs.
///
/// The queue holds at most ``limit`` jobs; one more is refused, and the API says so.
final class WorkerPool: Sendable {
    typealias Job = @Sendable (WorkerContext) -> Void

    static let limit = 1_000_000

    private struct State {
        var jobs: Deque<Job> = []
        var stops = false
        var running = 0
    }

    private let state = Monitor(State())
    /// The same as the state's, for workers between two steps.
    private let stops = Atomic<Bool>(false)
    private let threads: [DedicatedThread]
    private let standStill: StandStill

    /// - Parameters:
    ///   - workers: How many threads.
    ///   - name: The beginning of the threads' names.
    ///   - standStill: Where the workers wait while the instance is paused.
    ///   - makePublisher: Makes a worker's own publisher, on its thread.
    init(
        workers: Int, name: String, standStill: StandStill, makePublisher: @escaping @Sendable (Int) -> ThreadPublisher
    ) {
        let state = self.state
        self.standStill = standStill
        threads = (0..<workers).map { number in
            DedicatedThread(name: "\(name)-w\(number)") {
                let context = WorkerContext(number: number, publisher: makePublisher(number))
                while let job = Self.nextJob(state) {
                    standStill.pass()
                    job(context)
                    state.update { $0.running -= 1 }
                }
            }
        }
    }

    /// Jobs that wait, and jobs that run.
    var load: (waiting: Int, running: Int) { state.withLock { ($0.jobs.count, $0.running) } }

    /// Queues a job; false when the pool has stopped or is full.
    ///
    /// From any thread.
    func submit(_ job: @escaping Job) -> Bool {
        state.update { state in
            guard !state.stops, state.jobs.count < Self.limit else { return false }
            state.jobs.append(job)
            return true
        }
    }

    /// Lets running jobs end, leaves the waiting ones; false when a thread is still busy at the deadline.
    ///
    /// Blocks.
    func stop(until deadline: MonotonicInstant) -> Bool {
        endJobs()
        return threads.map { $0.join(until: deadline) }.allSatisfy { $0 }
    }

    /// Waits for the instant, or until the pool stops; false when it stops.
    ///
    /// For jobs on the pool's own threads.
    func sleep(until instant: MonotonicInstant) -> Bool {
        if MonotonicInstant.now() < instant, state.wait(until: instant, for: { $0.stops ? true : nil }) != nil {
            return false
        }
        standStill.pass()
        return !stops.load(ordering: .sequentiallyConsistent)
    }

    /// Lets the waiting jobs go and the running ones end before their next step; returns at once.
    func abandon() { endJobs() }

    private func endJobs() {
        state.update {
            $0.stops = true
            $0.jobs.removeAll()
            stops.store(true, ordering: .sequentiallyConsistent)
        }
    }

    private static func nextJob(_ state: Monitor<State>) -> Job? {
        while true {
            let job: Job?? = state.wait(until: .now() + .seconds(1)) { state in
                if let job = state.jobs.popFirst() {
                    state.running += 1
                    return .some(job)
                }
                return state.stops ? .some(nil) : nil
            }
            if let job { return job }
        }
    }
}

/// What a job has from the thread that runs it.
struct WorkerContext {
    let number: Int
    let publisher: ThreadPublisher
}
