internal import NIOCore
internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord

/// Watches the load generator over the measured window: its loops' stalls, who had the CPUs, the clients' receive buffers.
final class GeneratorWatch: GeneratorWatching {
    private static let bufferInterval = TimeSpan.milliseconds(200)
    /// Sockets of each loop that are looked at a time; the next look takes others.
    private static let bufferSample = 16

    private struct Baseline {
        var threads: [Int: ThreadSchedule] = [:]
        var machine: MachineTime?
    }

    private struct Running {
        var clientStalls: StallMonitor?
        var instanceStalls: StallMonitor?
        var buffers: Task<ReceiveBuffers, Never>?
        var baseline: Baseline
    }

    private let clientLoops: [any EventLoop]
    private let instanceLoops: [any EventLoop]
    private let clientThreads: [Int]
    private let instanceThreads: [Int]
    private let sample: (@Sendable (Int) async -> ReceiveBuffers)?
    private let running = Mutex<Running?>(nil)

    /// - Parameters:
    ///   - clientLoops: The loops of the fleet; none where clients have no sockets.
    ///   - instanceLoops: The loops of the instances of this process, if there are any.
    ///   - sampleBuffers: Looks at so many sockets of each loop; `nil` where there are none.
    init(
        clientLoops: [any EventLoop], instanceLoops: [any EventLoop],
        sampleBuffers: (@Sendable (Int) async -> ReceiveBuffers)?
    ) async throws {
        self.clientLoops = clientLoops
        self.instanceLoops = instanceLoops
        sample = sampleBuffers
        clientThreads = try await ProcessUsage.threads(of: clientLoops)
        instanceThreads = try await ProcessUsage.threads(of: instanceLoops)
    }

    /// The measured window begins.
    func begin() {
        let sample = self.sample
        let started = Running(
            clientStalls: clientLoops.isEmpty ? nil : StallMonitor(clientLoops),
            instanceStalls: instanceLoops.isEmpty ? nil : StallMonitor(instanceLoops),
            buffers: sample.map { sample in Task { await Self.watchBuffers(sample) } }, baseline: baseline())
        running.withLock { $0 = started }
    }

    /// The measured window ends; nothing was seen where it never began.
    func end() async -> GeneratorFigures {
        var figures = GeneratorFigures()
        guard let begun = running.withLock({ $0.take() }) else { return figures }
        figures.cpu = cpu(from: begun.baseline, to: baseline())
        begun.clientStalls?.stop()
        begun.instanceStalls?.stop()
        figures.clientLoopStalls = begun.clientStalls?.stalls.summary
        figures.instanceLoopStalls = begun.instanceStalls?.stalls.summary
        if let buffers = begun.buffers {
            buffers.cancel()
            let seen = await buffers.value
            figures.receiveBuffers = ReceiveBufferFigures(
                samples: seen.samples, overHalf: seen.overHalf, fullest: seen.fullest)
        }
        return figures
    }

    private static func watchBuffers(_ sample: @Sendable (Int) async -> ReceiveBuffers) async -> ReceiveBuffers {
        var sum = ReceiveBuffers()
        while !Task.isCancelled {
            sum.add(await sample(bufferSample))
            try? await Task.sleep(nanoseconds: UInt64(bufferInterval.nanoseconds))
        }
        return sum
    }

    private func baseline() -> Baseline {
        var baseline = Baseline()
        for thread in clientThreads + instanceThreads { baseline.threads[thread] = .read(thread) }
        baseline.machine = .now()
        return baseline
    }

    private func cpu(from start: Baseline, to end: Baseline) -> CPUFigures? {
        guard let machineStart = start.machine, let machineEnd = end.machine else { return nil }
        func busiest(_ threads: [Int]) -> LoopShares {
            let shares = threads.compactMap { thread -> LoopShares? in
                guard let before = start.threads[thread] else { return nil }
                return end.threads[thread]?.shares(since: before)
            }
            return shares.max { $0.occupied < $1.occupied } ?? LoopShares()
        }
        let instances = busiest(instanceThreads)
        let machine = machineEnd.shares(since: machineStart)
        return CPUFigures(
            recordingLoop: clientThreads.isEmpty ? instances : busiest(clientThreads), instanceLoop: instances,
            machineBusy: machine.busy, steal: machine.steal, allowedCPUs: AllowedCPUs.count)
    }
}
