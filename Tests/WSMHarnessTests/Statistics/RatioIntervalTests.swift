import Foundation
import Testing
import WSMCore
import WSMTestSupport

@testable import WSMHarness

@Suite("Intervals of ratios", .timeLimit(.minutes(3)))
struct RatioIntervalTests {
    /// Normal values, drawn by Box and Muller's method.
    private struct Normal {
        var random: CounterRNG

        mutating func next() -> Double {
            let first = (Double(random.next() >> 11) + 1) / 0x1p53
            let second = Double(random.next() >> 11) / 0x1p53
            return (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
        }
    }

    @Test("Medians and quantiles lie on the line between neighbours")
    func quantiles() {
        #expect(Quantile.median([]) == nil)
        #expect(Quantile.median([3]) == 3)
        #expect(Quantile.median([4, 1, 3, 2]) == 2.5)
        #expect(Quantile.of([0, 10, 20, 30, 40], 0.9) == 36)
        #expect(Quantile.of([0, 10], 1) == 10 && Quantile.of([0, 10], 0) == 0)
    }

    @Test("What cannot have a ratio has no interval")
    func none() {
        #expect(RatioInterval.paired([1, 2], [1, 2], seed: 1) == nil)
        #expect(RatioInterval.paired([1, 2, 3], [1, 2], seed: 1) == nil)
        #expect(RatioInterval.paired([0, 2, 3], [1, 2, 3], seed: 1) == nil)
        #expect(RatioInterval.unpaired([1, 2, 3], [1, .infinity, 3], seed: 1) == nil)
        #expect(RatioInterval.unpaired([1, 2, 3], [], seed: 1) == nil)
    }

    @Test("Rounds that all say the same leave no doubt")
    func certain() throws {
        let interval = try #require(RatioInterval.paired([10, 20, 30], [20, 40, 60], seed: 1))
        #expect(abs(interval.ratio - 2) < 1e-12)
        #expect(interval.low <= interval.ratio && interval.high >= interval.ratio)
        // The logarithms of the ratios have no spread; the medians of drawn rounds have none either.
        #expect(abs(interval.low - 2) < 1e-9 && abs(interval.high - 2) < 1e-9)
    }

    @Test("With few rounds it holds the truth as often as it says", arguments: [3, 5, 10])
    func coverage(rounds: Int) throws {
        let trials = 400
        var normal = Normal(random: CounterRNG(seed: 7, stream: .resampling, entity: UInt64(rounds)))
        var paired = 0
        var unpaired = 0
        for trial in 0..<trials {
            // Each round has a level of its own, which both arms share.
            let levels = (0..<rounds).map { _ in exp(normal.next() * 0.3) }
            let a = levels.map { $0 * exp(normal.next() * 0.05) }
            let b = levels.map { 1.2 * $0 * exp(normal.next() * 0.05) }
            let interval = try #require(RatioInterval.paired(a, b, seed: UInt64(trial), draws: 400))
            if interval.low <= 1.2, interval.high >= 1.2 { paired += 1 }
            let free = try #require(RatioInterval.unpaired(a, b, seed: UInt64(trial), draws: 400))
            if free.low <= 1.2, free.high >= 1.2 { unpaired += 1 }
        }
        // 95 % and the error of 400 trials; more is allowed, since the wider of two intervals is taken.
        #expect(Double(paired) / Double(trials) >= 0.92, "\(paired) of \(trials)")
        #expect(Double(unpaired) / Double(trials) >= 0.92, "\(unpaired) of \(trials)")
    }

    private struct Answer: Decodable {
        var ratio: Double
        var bootstrap: [Double]
        var student: [Double]
    }

    @Test("scipy finds the same intervals in the same samples", arguments: [true, false], [3, 6, 20])
    func agreesWithScipy(paired: Bool, rounds: Int) async throws {
        var normal = Normal(random: CounterRNG(seed: 11, stream: .resampling, entity: UInt64(rounds)))
        let a = (0..<rounds).map { _ in 100 * exp(normal.next() * 0.1) }
        let b = a.map { $0 * 1.3 * exp(normal.next() * 0.1) }
        let file = NSTemporaryDirectory() + "wsmlab-samples-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let text = "{\"a\": \(a), \"b\": \(b), \"paired\": \(paired)}"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let said = try await IndependentReader.python("statistics.py", [file])
        try #require(said.exitCode == 0, "\(said.errors)")
        let theirs = try JSONDecoder().decode(Answer.self, from: Data(said.output.utf8))
        let ours = try #require(
            paired ? RatioInterval.paired(a, b, seed: 1) : RatioInterval.unpaired(a, b, seed: 1))
        #expect(abs(ours.ratio / theirs.ratio - 1) < 1e-9)
        // Student's ends are exact; those of the bootstrap differ by the draws.
        for (mine, student, drawn) in [
            (ours.low, theirs.student[0], theirs.bootstrap[0]), (ours.high, theirs.student[1], theirs.bootstrap[1]),
        ] {
            let isStudent = abs(mine / student - 1) < 1e-6
            #expect(isStudent || abs(mine / drawn - 1) < 0.02, "\(mine), Student \(student), bootstrap \(drawn)")
        }
        #expect(ours.low <= min(theirs.student[0], theirs.bootstrap[0]) * 1.02)
        #expect(ours.high >= max(theirs.student[1], theirs.bootstrap[1]) * 0.98)
    }
}
