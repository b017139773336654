internal import WSMCore
internal import WSMInstance

/// Where an instance is, or was, or will be again: the load asks for it at each of its instants.
///
/// Safe from any thread.
protocol InstancePlace: ProcessPlace {
    /// The life that there is now; `nil` while the instance is down.
    var current: InstanceLife? { get }
}

/// Where the calls of the API go.
protocol ProcessPlace: Sendable {
    /// Who takes them, and in which of its lives, from 1; `nil` while it is down.
    var host: (host: any ProcessHost, life: Int)? { get }
    /// Something was planned for `intended` while it was down.
    func countSkipped(_ intended: MonotonicInstant, _ clock: LoadClock)
}

/// One life of an instance.
struct InstanceLife: Sendable {
    let instance: LiveInstance
    /// Tells the run what happens in this life, and nothing after its end.
    let probe: any MeasuringProbe
    /// From 1.
    let number: Int
}

extension InstancePlace {
    var host: (host: any ProcessHost, life: Int)? { current.map { ($0.instance, $0.number) } }
}

/// An instance that has a process of its own, which lives and dies with it.
struct OnlyLife: InstancePlace {
    let current: InstanceLife?

    init(_ instance: LiveInstance, _ probe: any MeasuringProbe) {
        current = InstanceLife(instance: instance, probe: probe, number: 1)
    }

    func countSkipped(_ intended: MonotonicInstant, _ clock: LoadClock) {}
}

/// A worker that has a process of its own.
struct WorkerPlace: ProcessPlace {
    let worker: LiveWorker

    var host: (host: any ProcessHost, life: Int)? { (worker, 1) }
    func countSkipped(_ intended: MonotonicInstant, _ clock: LoadClock) {}
}
