internal import Foundation
internal import Synchronization
internal import WSMCore

/// Measures what it takes to wake a thread on this machine: two threads, of which one writes to a socket that the other reads.
///
/// Some ten seconds, on threads of its own; for a machine on which nothing else runs.
final class WakeProbe: Sendable {
    /// How long the sleeper's core has slept when it is woken.
    private static let sleeps: [TimeSpan] = [
        .microseconds(10), .microseconds(50), .microseconds(100), .microseconds(200), .microseconds(500),
        .milliseconds(1), .milliseconds(2), .milliseconds(5), .milliseconds(10), .milliseconds(20), .milliseconds(40),
    ]
    private static let perSleep = TimeSpan.milliseconds(400)
    private static let roundsPerSleep = 20...200
    private static let ownRounds = 2000
    /// The waker works so many thousandths of the time and sleeps for the rest of each turn.
    private static let workShares = Array(stride(from: Int64(50), through: 900, by: 50))
    private static let workTurn = TimeSpan.milliseconds(2)
    /// Until the system's averages follow a new share, and how long it is looked where the sleeper wakes.
    private static let settling = TimeSpan.milliseconds(200)
    private static let watching = TimeSpan.milliseconds(100)
    /// One wake-up takes no longer than this, however busy the machine is.
    private static let patience = TimeSpan.seconds(2)

    /// What the sleeper notes of its last wake-up.
    private let ranAt = Atomic<Int64>(0)
    private let cpuTime = Atomic<Int64>(0)
    private let core = Atomic<Int32>(-1)
    private let wakeUps = Atomic<Int64>(0)
    private let ends: (ours: CInt, theirs: CInt)
    private let own: (ours: CInt, theirs: CInt)

    /// Measures; nothing on a machine with one core, where nobody is woken beside somebody else.
    ///
    /// - Throws: ``HarnessError`` where the sockets cannot be had, or a wake-up does not come.
    static func measure() async throws -> MachineCalibration.Waking {
        var waking = MachineCalibration.Waking()
        guard AllowedCPUs.count > 1 else { return waking }
        let probe = try WakeProbe()
        let measured = try await DedicatedThread.perform(name: "wake-waker") {
            let sleeper = DedicatedThread(name: "wake-sleeper") { probe.sleep() }
            defer {
                probe.end()
                _ = sleeper.join(until: .now() + patience)
            }
            return try (probe.steps(), PackingSearch(shares: workShares, look: probe.wakeUps).perform())
        }
        (waking.steps, waking.spread) = measured.0
        (waking.packedBelow, waking.keptBelow) = measured.1
        return waking
    }

    private init() throws {
        ends = try SocketPair.make()
        own = try SocketPair.make()
    }

    deinit { for end in [ends.ours, ends.theirs, own.ours, own.theirs] { close(end) } }

    // MARK: The sleeper

    private func sleep() {
        var byte: UInt8 = 0
        while read(ends.theirs, &byte, 1) == 1 {
            ranAt.store(MonotonicInstant.now().nanoseconds, ordering: .relaxed)
            core.store(ThreadCore.current ?? -1, ordering: .relaxed)
            cpuTime.store(ThreadCPUTime.ofCurrentThread()?.nanoseconds ?? 0, ordering: .relaxed)
            wakeUps.add(1, ordering: .releasing)
        }
    }

    /// Lets the sleeper go.
    private func end() { shutdown(ends.ours, CInt(SHUT_RDWR)) }

    // MARK: The waker

    /// One wake-up, as both sides saw it.
    private struct WakeUp {
        var latency: Int64
        /// The waker's CPU time for the write.
        var waker: Int64
        var isOnWakersCore: Bool
    }

    private static func late() -> HarnessError {
        HarnessError(
            .groundMissing, "a thread that was woken did not run within \(patience.seconds) s: is the machine too busy?"
        )
    }

    private func poke(_ end: CInt) -> (before: MonotonicInstant, cpu: Int64) {
        var byte: UInt8 = 1
        let cpu = ThreadCPUTime.ofCurrentThread()?.nanoseconds ?? 0
        let before = MonotonicInstant.now()
        _ = write(end, &byte, 1)
        return (before, (ThreadCPUTime.ofCurrentThread()?.nanoseconds ?? 0) - cpu)
    }

    private func wake() throws -> WakeUp {
        let known = wakeUps.load(ordering: .acquiring)
        let here = ThreadCore.current
        let (before, cpu) = poke(ends.ours)
        let deadline = before + Self.patience
        while wakeUps.load(ordering: .acquiring) == known {
            guard MonotonicInstant.now() < deadline else { throw Self.late() }
        }
        return WakeUp(
            latency: ranAt.load(ordering: .relaxed) - before.nanoseconds, waker: cpu,
            isOnWakersCore: core.load(ordering: .relaxed) == here)
    }

    private func spin(_ span: TimeSpan) {
        let until = MonotonicInstant.now() + span
        while MonotonicInstant.now() < until {}
    }

    /// What a write that wakes nobody costs, and how long it takes.
    private func ownWrite() -> Int64 {
        var costs: [Int64] = []
        var byte: UInt8 = 0
        for _ in 0..<Self.ownRounds {
            costs.append(poke(own.ours).cpu)
            _ = read(own.theirs, &byte, 1)
        }
        return Self.middle(costs)
    }

    private static func middle(_ values: [Int64]) -> Int64 {
        Int64(Quantile.median(values.map(Double.init)) ?? 0)
    }

    // MARK: What is measured

    /// What waking the other core takes after each time of sleep, and how latencies lie around the middle.
    private func steps() throws -> ([MachineCalibration.Waking.Step], [MachineCalibration.Residual]) {
        let write = ownWrite()
        // Until the waker's core is so busy that the sleeper is left where it is.
        let settled = MonotonicInstant.now() + Self.settling
        while MonotonicInstant.now() < settled { _ = try wake() }
        var steps: [MachineCalibration.Waking.Step] = []
        var ratios: [Double] = []
        var shallow: Int64 = 0
        for idle in Self.sleeps {
            let range = Self.roundsPerSleep
            let rounds = min(
                range.upperBound, max(range.lowerBound, Int(Self.perSleep.nanoseconds / idle.nanoseconds)))
            var (latencies, wakers, woken): ([Int64], [Int64], [Int64]) = ([], [], [])
            for _ in 0..<rounds {
                spin(idle)
                let spent = cpuTime.load(ordering: .relaxed)
                let seen = try wake()
                guard !seen.isOnWakersCore else { continue }
                latencies.append(max(0, seen.latency - write))
                wakers.append(max(0, seen.waker - write))
                woken.append(cpuTime.load(ordering: .relaxed) - spent)
            }
            guard latencies.count * 2 >= rounds else { continue }
            let (latency, cost) = (Self.middle(latencies), Self.middle(woken))
            if steps.isEmpty { shallow = cost }
            steps.append(
                .init(
                    idle: idle.nanoseconds, latency: latency, waker: Self.middle(wakers),
                    woken: max(0, cost - shallow)))
            if latency > 0 { ratios += latencies.map { Double($0) / Double(latency) } }
        }
        return (steps, Self.spread(ratios))
    }

    /// Quantiles of the ratios: each hundredth of them, and each thousandth of the last two hundredths, where they are far apart.
    private static func spread(_ ratios: [Double]) -> [MachineCalibration.Residual] {
        let sorted = ratios.sorted()
        guard sorted.count >= 2 else { return [] }
        let places = Array(stride(from: 0, to: 980, by: 10)) + Array(980...1000)
        return places.map { place in
            .init(
                perMillion: Int64(place) * 1000,
                perMille: Int64(min(1e6, sorted[place * (sorted.count - 1) / 1000] * 1000).rounded()))
        }
    }

    /// What the waker really used of its core, in thousandths, and whether most wake-ups went there.
    private func wakeUps(working share: Int64) throws -> PackingSearch.Seen {
        let work = Self.workTurn.scaled(by: Double(share) / 1000)
        var (packed, rounds) = (0, 0)
        let began = MonotonicInstant.now()
        let usedBefore = ThreadCPUTime.ofCurrentThread() ?? .zero
        while MonotonicInstant.now() - began < Self.settling + Self.watching {
            let next = MonotonicInstant.now() + Self.workTurn
            spin(work)
            let isOnWakersCore = try wake().isOnWakersCore
            if MonotonicInstant.now() - began > Self.settling {
                rounds += 1
                packed += isOnWakersCore ? 1 : 0
            }
            let rest = next - .now()
            if rest > .zero { usleep(UInt32(rest.nanoseconds / 1000)) }
        }
        let used = (ThreadCPUTime.ofCurrentThread() ?? .zero) - usedBefore
        return .init(use: Int64(used.seconds / (.now() - began).seconds * 1000), isPacked: packed * 2 > rounds)
    }
}
