import WSMCore
import WSMManagers

/// The orderly stop of one instance, in the order of the live one's: hardened, no new work, workers end, the queue is drained,
/// then clients are closed and Redis is left; the reference closes first and does not drain.
final class InstanceStop {
    private enum Phase {
        case threads(until: MonotonicInstant, thenClients: Bool)
        case clients(until: MonotonicInstant)
        case done
    }

    private static let skippedClientsPatience = TimeSpan.milliseconds(500)
    /// How often it looks whether a phase is over, as the live one.
    private static let interval = TimeSpan.milliseconds(2)

    let slot: InstanceSlot
    private let instance: Instance
    private let deadline: TimeSpan
    private(set) var report = StopReport()
    private var phase: Phase
    private var pool = false

    /// Begins to stop the instance.
    init(_ instance: Instance, in slot: InstanceSlot, deadline: TimeSpan) {
        self.instance = instance
        self.slot = slot
        self.deadline = deadline
        instance.isListening = false
        if let waiting = instance.thread?.waiting, waiting > 0 { slot.stopsWithQueue += 1 }
        phase = .done
        if drains {
            stopThreads(thenClients: true)
        } else {
            closeClients()
        }
        look()
    }

    var isDone: Bool { if case .done = phase { true } else { false } }

    private var drains: Bool { instance.setup.policies.queue.drainsOnStop }
    private var now: MonotonicInstant { instance.simulator.now }

    private func stopThreads(thenClients: Bool) {
        instance.pool.stop()
        phase = .threads(until: now + BroadcastThreadMachine.stopTimeout, thenClients: thenClients)
        pool = false
    }

    private func closeClients() {
        instance.post(.shutdown)
        let isComplete = instance.setup.policies.disconnectAll == .complete
        phase = .clients(until: now + (isComplete ? deadline : min(deadline, Self.skippedClientsPatience)))
    }

    /// Goes on to the next phase once this one is over, or its time is.
    private func look() {
        switch phase {
        case .done: return
        case .threads(let until, let thenClients): lookAtThreads(until, thenClients)
        case .clients(let until): lookAtClients(until)
        }
        guard !isDone else { return }
        instance.simulator.after(Self.interval, .instance, instance.setup.index) { [self] in look() }
    }

    private func lookAtThreads(_ until: MonotonicInstant, _ thenClients: Bool) {
        if !pool, instance.pool.hasEnded || now >= until {
            // One after the other: nothing is submitted any more once the workers have ended.
            pool = true
            instance.thread?.stop()
            instance.api.stop()
        }
        guard pool, instance.thread?.hasEnded ?? true, instance.api.hasEnded else {
            if now >= until + .milliseconds(500) { leaveThreads(thenClients) }
            return
        }
        leaveThreads(thenClients)
    }

    private func leaveThreads(_ thenClients: Bool) {
        instance.cancelPublishers()
        report.updatesLeft = instance.thread?.abandonQueue() ?? 0
        if thenClients { closeClients() } else { finish() }
    }

    private func lookAtClients(_ until: MonotonicInstant) {
        guard instance.openSockets == 0 || now >= until else { return }
        report.clientsCut = instance.cutAll()
        if drains { finish() } else { stopThreads(thenClients: false) }
    }

    private func finish() {
        phase = .done
        slot.stopReport = report
        instance.end()
        // What it published and left while it stopped was told; what is still on the agenda belongs to nobody.
        instance.isReporting = false
    }
}
