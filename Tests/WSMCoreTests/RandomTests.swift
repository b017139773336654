import Testing
import WSMCore

@Suite("Seeded random numbers")
struct RandomTests {
    @Test("Philox4x32-10 gives the known answers of its authors (Random123, kat_vectors)")
    func knownAnswers() {
        #expect(
            Philox.block(counter: (0, 0, 0, 0), key: (0, 0)) == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = UInt32.max
        #expect(
            Philox.block(counter: (ones, ones, ones, ones), key: (ones, ones))
                == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Philox.block(
                counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
                == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test("The same key gives the same numbers, another entity, stream or seed others")
    func keys() {
        func draws(_ seed: UInt64, _ stream: CounterRNG.Stream, _ entity: UInt64) -> [UInt64] {
            var random = CounterRNG(seed: seed, stream: stream, entity: entity)
            return (0..<8).map { _ in random.next() }
        }
        let base = draws(1, .churn, 2)
        #expect(base == draws(1, .churn, 2))
        #expect(base != draws(2, .churn, 2))
        #expect(base != draws(1, .payload, 2))
        #expect(base != draws(1, .churn, 3))
        #expect(Set(base).count == 8)
    }

    @Test(
        "Distributions have the mean that they say",
        arguments: [
            Distribution.constant(.milliseconds(20)), .exponential(mean: .milliseconds(20)),
            .uniform(from: .milliseconds(10), to: .milliseconds(30)), .lognormal(median: .milliseconds(20), sigma: 0.5),
        ])
    func means(distribution: Distribution) {
        var random = CounterRNG(seed: 7, stream: .processSteps, entity: 1)
        let count = 20_000
        let sum = (0..<count).reduce(0.0) { sum, _ in sum + distribution.draw(from: &random).seconds }
        let mean = sum / Double(count)
        #expect(abs(mean / distribution.mean.seconds - 1) < 0.03, "mean \(mean) s with seed 7")
    }

    @Test("Logarithm and exponential are accurate to a few units in the last place")
    func mathematics() {
        // exp and log undo each other, and the constants are known to more digits than a Double has.
        #expect(DeterministicMath.log(1) == 0)
        #expect(abs(DeterministicMath.log(2) - 0.693147180559945309417) < 2e-16)
        #expect(abs(DeterministicMath.log(10) - 2.302585092994045684018) < 5e-16)
        #expect(abs(DeterministicMath.exp(1) - 2.718281828459045235360) < 1e-15)
        #expect(DeterministicMath.exp(0) == 1)
        var random = CounterRNG(seed: 3, stream: .payload, entity: 0)
        for _ in 0..<1000 {
            let x = random.unit() * 40 - 20
            #expect(abs(DeterministicMath.log(DeterministicMath.exp(x)) - x) < 1e-14, "x = \(x), seed 3")
        }
        #expect(abs(DeterministicMath.log(Double.leastNonzeroMagnitude) + 744.4400719213812) < 1e-10)
    }

    @Test("UUIDs are written and read in their canonical form")
    func uuids() {
        var random = CounterRNG(seed: 5, stream: .processIdentity, entity: 0)
        for _ in 0..<100 {
            let uuid = random.uuid()
            let text = uuid.description
            #expect(text.utf8.count == 36 && Array(text)[14] == "4")
            #expect(OrchestratorUUID(text) == uuid)
            #expect(OrchestratorUUID(text.uppercased()) == uuid)
        }
        for bad in ["", "00000000-0000-0000-0000-00000000000", "00000000x0000-0000-0000-000000000000", "zz"] {
            #expect(OrchestratorUUID(bad) == nil)
        }
    }

    @Test("Backoff doubles up to its maximum, with its share of jitter, and never overflows")
    func backoff() {
        let policy = BackoffPolicy(initial: .milliseconds(100), max: .seconds(1), jitter: 0.5)
        #expect(policy.delay(attempt: 0, unit: 0) == .milliseconds(50))
        #expect(policy.delay(attempt: 2, unit: 1) == .milliseconds(400))
        #expect(policy.delay(attempt: 1000, unit: 1) == .seconds(1))
        let huge = BackoffPolicy(initial: .seconds(1), max: TimeSpan(nanoseconds: .max), jitter: 0)
        #expect(huge.delay(attempt: 200, unit: 0).nanoseconds > 0)
    }
}
