import Foundation
import Testing
import WSMCore

@testable import WSMHarness

@Suite("What other programs use of the machine")
struct OtherProgramsTests {
    /// Four cores for ten seconds, of which the run's own process used five seconds.
    private func share(_ resources: Resources, machineBusy: Double = 0.5) -> Double? {
        func sample(_ seconds: Int64, own: Double) -> ResourceSample {
            ResourceSample(
                instances: [], clients: [], ownCPUSeconds: own,
                at: MonotonicInstant(nanoseconds: seconds * 1_000_000_000))
        }
        return sample(11, own: 7).otherPrograms(
            since: sample(1, own: 2), used: resources, machineBusy: machineBusy, cores: 4)
    }

    private func part(_ pid: Int32, _ cpuSeconds: Double) -> ResourceUsage {
        ResourceUsage(pid: pid, cpuSeconds: cpuSeconds, deliveries: 1, rssBytes: 0, peakRssBytes: 0)
    }

    @Test("Is what is left of the busy time without the run and the system")
    func left() {
        let own = getpid()
        // Twenty seconds were busy; the parts inside of the process are in its five already.
        let resources = Resources(
            instances: [part(own, 3), part(own + 1, 2)], clients: [part(own, 1), part(own + 2, 1)],
            redis: RedisUsage(connections: 1, process: part(own + 3, 4)))
        #expect(abs((share(resources) ?? -1) - (20.0 - 5 - 2 - 1 - 4) / 40) < 1e-9)
        #expect(share(resources, machineBusy: 0.1) == 0, "clock ticks may make it less than nothing")
    }

    @Test("Is not known where a part of the system is not seen")
    func unknown() {
        #expect(share(Resources(instances: [part(1, 1)], redis: RedisUsage(connections: 1))) == nil)
        #expect(share(Resources()) == nil)
    }
}
