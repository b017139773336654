internal import NIOCore
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMRedis

/// One instance of this process over all its lives: it may be killed or stopped, and started again on the same port.
///
/// The load asks for ``current`` from any thread; the faults come from one task at a time.
final class InstanceSlot: InstancePlace {
    private struct State {
        var life: InstanceLife?
        var probe: LifeProbe?
        var lives = 0
        /// What earlier lives counted.
        var counts = InstanceCounts()
        var port = 0
        var reservation: PortReservation?
    }

    let runProbe: RunProbe
    private let configuration: LiveInstance.Configuration
    private let group: any EventLoopGroup
    private let wrap: @Sendable (any InstanceProbe) -> any InstanceProbe
    private let state = Monitor(State())

    /// How long starting again may try while Redis does not answer.
    private static let startDeadline = TimeSpan.seconds(10)

    /// - Parameter wrap: What the instance gets in place of the probe of one of its lives.
    init(
        _ configuration: LiveInstance.Configuration, probe: RunProbe, group: any EventLoopGroup,
        wrap: @escaping @Sendable (any InstanceProbe) -> any InstanceProbe
    ) {
        self.configuration = configuration
        self.wrap = wrap
        self.group = group
        runProbe = probe
    }

    var current: InstanceLife? { state.withLock { $0.life } }

    /// Where it listens, also while it is down.
    var port: Int { state.withLock { $0.port } }

    var standing: InstanceState {
        guard let instance = current?.instance else {
            return InstanceState(isUp: false, broadcastThread: nil, backlog: 0)
        }
        return InstanceState(instance)
    }

    /// What all its lives have counted.
    var counts: InstanceCounts {
        state.withLock { state in
            var sum = state.counts
            if let life = state.life { sum.add(InstanceCounts(life.instance.manager.counters)) }
            return sum
        }
    }

    func countSkipped(_ intended: MonotonicInstant, _ clock: LoadClock) {
        guard intended >= clock.measuredFrom else { return }
        state.withLock { $0.counts.skippedWhileDown += 1 }
    }

    // MARK: Lives

    /// Starts the instance; a later life takes the port of the one before.
    ///
    /// While Redis does not answer it tries again for a while: an instance that comes back before its Redis is a common
    /// sight.
    func start() async throws {
        let (isFirst, port) = state.withLock { ($0.lives == 0, $0.port) }
        guard current == nil else { throw HarnessError(.internalFault, "instance \(runProbe.instance) is up already") }
        let probe = LifeProbe(runProbe)
        var configuration = self.configuration
        configuration.port = port
        let deadline = MonotonicInstant.now() + Self.startDeadline
        while true {
            do {
                let instance = try await LiveInstance.start(configuration, on: group, probe: wrap(probe))
                begin(instance, probe, isFirst: isFirst)
                return
            } catch let error as RedisError {
                guard !isFirst, MonotonicInstant.now() < deadline else { throw error }
                try await Task.sleep(nanoseconds: 20_000_000)
            }
        }
    }

    private func begin(_ instance: LiveInstance, _ probe: LifeProbe, isFirst: Bool) {
        if !isFirst { runProbe.cameUp(at: .now()) }
        state.withLock { state in
            state.lives += 1
            state.life = InstanceLife(instance: instance, probe: probe, number: state.lives)
            state.probe = probe
            state.port = instance.port
            // The new socket has the port by now.
            state.reservation = nil
        }
    }

    /// Ends the life as a crash does.
    func kill() async throws {
        guard let (instance, probe) = endLife() else { throw notUp("killed") }
        probe.end()
        await instance.crash()
        reservePort()
    }

    /// Shuts the instance down in order.
    func stop(deadline: TimeSpan) async throws -> LiveInstance.StopReport {
        guard let (instance, probe) = endLife() else { throw notUp("stopped") }
        let report = try await instance.stop(deadline: deadline)
        probe.end()
        reservePort()
        return report
    }

    /// The end of the run: shuts the instance down in order, if it is up.
    func end(deadline: TimeSpan) async throws -> LiveInstance.StopReport {
        guard let life = current else { return .init() }
        return try await life.instance.stop(deadline: deadline)
    }

    func pause() async throws {
        guard let life = current else { throw notUp("paused") }
        try await life.instance.pause()
    }

    func resume() { current?.instance.resume() }

    /// Takes the life away, so that no load goes to it any more, and notes when.
    private func endLife() -> (LiveInstance, LifeProbe)? {
        guard current != nil else { return nil }
        let now = MonotonicInstant.now()
        runProbe.wentDown(at: now)
        runProbe.lifeEnded(at: now)
        return state.withLock { state in
            guard let life = state.life, let probe = state.probe else { return nil }
            state.life = nil
            state.counts.add(InstanceCounts(life.instance.manager.counters))
            return (life.instance, probe)
        }
    }

    /// Keeps the port for the next life: a client that tries to connect must not be given it as its own.
    private func reservePort() {
        state.withLock { $0.reservation = PortReservation(port: $0.port) }
    }

    private func notUp(_ what: String) -> HarnessError {
        HarnessError(.internalFault, "instance \(runProbe.instance) is not up, so that it cannot be \(what)")
    }
}

extension InstanceState {
    /// An instance of this process.
    init(_ instance: LiveInstance) {
        let thread: ThreadEnd? =
            switch instance.broadcastThreadEnd {
            case nil: nil
            case .stopped: .stopped
            case .died: .dead
            }
        self.init(isUp: true, broadcastThread: thread, backlog: instance.backlog)
    }
}
