internal import WSMCore
internal import WSMSimulation

/// A simulated instance is measured by the very probe that measures a live one.
extension RunProbe: SimulationProbe {
    func leftOut(client: UInt32, count: Int, published: ClosedRange<MonotonicInstant>, isFirst: Bool) {
        leftOut(
            ProbeOmission(
                client: client, count: count, from: published.lowerBound, until: published.upperBound,
                isFirst: isFirst))
    }
}
