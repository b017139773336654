internal import WSMCore
internal import WSMRecord

/// Watches the generator in each process of clients; the worst of them is told.
struct FleetWatch: GeneratorWatching {
    let fleet: ProcessFleet

    func begin() async { _ = try? await fleet.askAll(.beginWatch) }

    func end() async -> GeneratorFigures {
        var worst = GeneratorFigures()
        for case .generator(let figures) in (try? await fleet.askAll(.endWatch)) ?? [] { worst.take(worse: figures) }
        return worst
    }
}

extension GeneratorFigures {
    /// Takes what another process saw wherever it is worse.
    fileprivate mutating func take(worse other: GeneratorFigures) {
        if (other.clientLoopStalls?.p99 ?? 0) >= (clientLoopStalls?.p99 ?? 0) {
            clientLoopStalls = other.clientLoopStalls
        }
        if (other.cpu?.recordingLoop.occupied ?? 0) >= (cpu?.recordingLoop.occupied ?? 0) { cpu = other.cpu }
        if let buffers = other.receiveBuffers {
            let samples = (receiveBuffers?.samples ?? 0) + buffers.samples
            receiveBuffers = ReceiveBufferFigures(
                samples: samples, overHalf: (receiveBuffers?.overHalf ?? 0) + buffers.overHalf,
                fullest: max(receiveBuffers?.fullest ?? 0, buffers.fullest))
        }
    }
}
