internal import WSMCore
internal import WSMInstance

/// A probe of a run: it stamps fences too, whose receipt proves that a session is subscribed.
protocol MeasuringProbe: InstanceProbe {
    var instance: Int { get }
    /// A fence to be published through this instance.
    func submittedFence(now: MonotonicInstant) -> ProbeStamp?
}
