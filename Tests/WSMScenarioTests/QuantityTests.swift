import Testing
import WSMCore

@testable import WSMScenario

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "Durations are read exactly",
        arguments: [
            ("0s", 0), ("1ns", 1), ("250ms", 250_000_000), ("1.5s", 1_500_000_000), ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000), ("3us", 3000), ("3µs", 3000), ("0.000000001s", 1), ("10 s", 10_000_000_000),
        ] as [(String, Int64)])
    func durations(_ text: String, _ nanoseconds: Int64) throws {
        #expect(try QuantityReader.duration(text).nanoseconds == nanoseconds)
    }

    @Test(
        "What is no duration is refused",
        arguments: [
            "50", "", "ms", "10 parsecs", "5ms/s", "-1s", "1.s", ".5s", "1.2.3s", "1e3s", "0.5ns", "9999999999h", "٣s",
            "999999999999999999999s", "1s2", "1S",
        ])
    func wrongDurations(_ text: String) {
        #expect(throws: QuantityError.self) { try QuantityReader.duration(text) }
    }

    @Test("Rates, sizes, speeds and shares are read with their units")
    func otherUnits() throws {
        #expect(try QuantityReader.rate("5k/s").perSecond == 5000)
        #expect(try QuantityReader.rate("0.2/s").perSecond == 0.2)
        #expect(try QuantityReader.size("64KiB") == 65536)
        #expect(try QuantityReader.size("1.5kB") == 1500)
        #expect(try QuantityReader.byteRate("4KiB/s") == 4096)
        #expect(try QuantityReader.share("5%").fraction == 0.05)
        #expect(try QuantityReader.share("0.0001%").millionths == 1)
        #expect(throws: QuantityError.self) { try QuantityReader.rate("5") }
        #expect(throws: QuantityError.self) { try QuantityReader.rate("5ms/s") }
        #expect(throws: QuantityError.self) { try QuantityReader.size("5KB") }
        #expect(throws: QuantityError.self) { try QuantityReader.share("101%") }
        #expect(throws: QuantityError.self) { try QuantityReader.share("0.00001%") }
    }

    @Test("Distributions are read in all four forms")
    func distributions() throws {
        #expect(try QuantityReader.distribution("20ms") == .constant(.milliseconds(20)))
        #expect(try QuantityReader.distribution("exponential(20ms)") == .exponential(mean: .milliseconds(20)))
        #expect(
            try QuantityReader.distribution("uniform(10ms, 30ms)")
                == .uniform(from: .milliseconds(10), to: .milliseconds(30)))
        #expect(
            try QuantityReader.distribution("lognormal( 20ms,0.5 )")
                == .lognormal(median: .milliseconds(20), sigma: 0.5))
        for wrong in [
            "normal(1ms)", "uniform(30ms, 10ms)", "uniform(1ms)", "exponential(20)", "lognormal(1ms, 99)",
            "exponential()",
            "exponential(1ms", "(", ")(", "20",
        ] {
            #expect(throws: QuantityError.self, "\(wrong)") { try QuantityReader.distribution(wrong) }
        }
    }

    @Test("Whatever quantity is written reads back the same", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 0)
        for _ in 0..<200 {
            let span = TimeSpan(nanoseconds: Int64(random.next() >> (3 + random.next() % 60)))
            #expect(try QuantityReader.duration(QuantityWriter.duration(span)) == span, "seed \(seed)")
            let bytes = Int(random.next() >> (3 + random.next() % 60))
            #expect(try QuantityReader.size(QuantityWriter.size(bytes)) == bytes, "seed \(seed)")
            let rate = Rate(perSecond: 0.0001 + random.unit() * 1e7)
            #expect(try QuantityReader.rate(QuantityWriter.rate(rate)) == rate, "seed \(seed)")
            let share = Share(millionths: random.below(1_000_001))
            #expect(try QuantityReader.share(QuantityWriter.share(share)) == share, "seed \(seed)")
        }
    }
}
