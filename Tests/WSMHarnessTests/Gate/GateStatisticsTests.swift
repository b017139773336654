import Foundation
import Testing
import WSMCore
import WSMTestSupport

@testable import WSMHarness

@Suite("The statistics of a gate", .timeLimit(.minutes(3)))
struct GateStatisticsTests {
    @Test("Tails, quantiles and effects are those that scipy and least squares give")
    func scipy() async throws {
        let tails: [(Double, Double)] = [0, 0.3, 1, 2.5, 4, 12, -1.5].flatMap { t in
            [1, 2, 3, 5, 17, 120].map { (t, $0) }
        }
        let quantiles: [(Double, Double)] = [0.25, 0.05, 0.025, 0.00286, 1e-5].flatMap { p in
            [1, 2, 3, 5, 17, 120].map { (p, $0) }
        }
        var random = CounterRNG(seed: 5, stream: .payload, entity: 1)
        let rounds = [2, 3, 3].map { count in
            (0..<count).map { _ in
                GateValues(old: 1 + random.unit(), new: 1.2 + random.unit(), again: 1 + random.unit())
            }
        }
        let answer = try await ask(tails, quantiles, rounds)
        for (question, expected) in zip(tails, answer.tails) {
            let found = StudentT.upperTail(question.0, degreesOfFreedom: question.1)
            #expect(abs(found - expected) <= 1e-10 + 1e-8 * expected, "\(question)")
        }
        for (question, expected) in zip(quantiles, answer.quantiles) {
            let found = StudentT.quantile(upperTail: question.0, degreesOfFreedom: question.1)
            #expect(abs(found - expected) <= 1e-7 * expected, "\(question)")
        }
        for (values, expected) in zip(rounds, answer.effects) {
            let found = GateEstimate.ofNew(values)
            let parts = [found.effect, found.standardError, found.degreesOfFreedom]
            #expect(zip(parts, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(parts) \(expected)")
        }
    }

    private struct Answer: Decodable {
        var tails: [Double]
        var quantiles: [Double]
        var effects: [[Double]]
    }

    private func ask(
        _ tails: [(Double, Double)], _ quantiles: [(Double, Double)], _ rounds: [[GateValues]]
    ) async throws -> Answer {
        let path = NSTemporaryDirectory() + "wsmlab-statistics-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let question: [String: Any] = [
            "tails": tails.map { [$0.0, $0.1] }, "quantiles": quantiles.map { [$0.0, $0.1] },
            "rounds": rounds.map { $0.map { [$0.old, $0.new, $0.again] } },
        ]
        try JSONSerialization.data(withJSONObject: question).write(to: URL(fileURLWithPath: path))
        let answer = try await IndependentReader.python("gate_statistics.py", [path])
        try #require(answer.exitCode == 0, "\(answer.errors)")
        return try JSONDecoder().decode(Answer.self, from: Data(answer.output.utf8))
    }

    @Test("An even drift over a round is no effect, and a constant factor is all effect")
    func drift() {
        let drifting = (0..<4).map { round in
            let level = 1 + Double(round) * 0.3
            return GateValues(old: level, new: level * 1.1, again: level * 1.21)
        }
        #expect(abs(GateEstimate.ofNew(drifting).effect) < 1e-12)
        #expect(abs(GateEstimate.ofControl(drifting).ratio - 1.21) < 1e-12)
        let shifted = (1...4).map { GateValues(old: Double($0), new: Double($0) * 1.1, again: Double($0)) }
        let estimate = GateEstimate.ofNew(shifted)
        #expect(abs(estimate.ratio - 1.1) < 1e-12)
        #expect(estimate.isWorse(alpha: 1e-6))
        #expect(!GateEstimate.ofControl(shifted).isDifferent(alpha: 0.05))
    }

    @Test("One spoiled run among many moves neither the effect nor its error far")
    func outlier() {
        var random = CounterRNG(seed: 13, stream: .payload, entity: 1)
        let noise = Distribution.lognormal(median: .seconds(1), sigma: 0.02)
        var values = (0..<6).map { _ in
            GateValues(
                old: noise.draw(from: &random).seconds, new: noise.draw(from: &random).seconds,
                again: noise.draw(from: &random).seconds)
        }
        let before = GateEstimate.ofNew(values)
        values[2].new *= 3
        let after = GateEstimate.ofNew(values)
        #expect(abs(after.effect - before.effect) < 0.02)
        #expect(after.standardError < 3 * before.standardError)
        #expect(GateEstimate.ofNew(Array(values[..<3])).standardError > 0.2, "three rounds cannot tell")
    }

    @Test("The 95 % interval holds the truth in 95 of 100 cases, with three rounds too", arguments: [2, 3, 4, 6, 12])
    func coverage(rounds: Int) {
        var random = CounterRNG(seed: 11, stream: .payload, entity: UInt64(rounds))
        let noise = Distribution.lognormal(median: .seconds(1), sigma: 0.1)
        var held = 0
        let trials = 2000
        for _ in 0..<trials {
            let values = (0..<rounds).map { _ in
                GateValues(
                    old: noise.draw(from: &random).seconds, new: 1.07 * noise.draw(from: &random).seconds,
                    again: noise.draw(from: &random).seconds)
            }
            let (low, high) = GateEstimate.ofNew(values).interval()
            if low < 1.07, 1.07 < high { held += 1 }
        }
        // Three standard deviations of the binomial distribution around 95 %, and one per cent for the clipping.
        #expect((1850...1930).contains(held), "\(held) of \(trials)")
    }
}
