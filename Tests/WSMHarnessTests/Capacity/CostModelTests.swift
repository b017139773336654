import Foundation
import Testing
import WSMCore
import WSMTestSupport

@testable import WSMHarness

@Suite("What a client, an instance and a message cost", .timeLimit(.minutes(3)))
struct CostModelTests {
    private struct Problem: Codable {
        var columns: [[Double]]
        var vector: [Double]
    }

    /// Problems of all shapes: weights that are held at zero, columns of very different sizes, more columns than rows.
    private func problems() -> [Problem] {
        (0..<60).map { number in
            var random = CounterRNG(seed: UInt64(number), stream: .assignment, entity: 0)
            let rows = 3 + random.below(20)
            let count = 1 + random.below(min(8, rows))
            let columns = (0..<count).map { column in
                let size = [1, 1e-6, 1e6][(number + column) % 3]
                return (0..<rows).map { _ in size * (random.unit() - (number.isMultiple(of: 2) ? 0 : 0.5)) }
            }
            let vector = (0..<rows).map { _ in random.unit() * 100 - (number.isMultiple(of: 4) ? 0 : 50) }
            return Problem(columns: columns, vector: vector)
        }
    }

    @Test("Non-negative least squares are scipy's")
    func scipy() async throws {
        let problems = problems()
        let file = NSTemporaryDirectory() + "wsmlab-nnls-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try JSONEncoder().encode(problems).write(to: URL(fileURLWithPath: file))
        let answer = try await IndependentReader.python("nnls.py", [file])
        try #require(answer.exitCode == 0, "\(answer.errors)")
        let theirs = try JSONDecoder().decode([[Double]].self, from: Data(answer.output.utf8))
        try #require(theirs.count == problems.count)
        var held = 0
        for (problem, expected) in zip(problems, theirs) {
            let ours = NonNegativeLeastSquares.solve(columns: problem.columns, vector: problem.vector)
            for ((our, their), column) in zip(zip(ours, expected), problem.columns) {
                let size = NonNegativeLeastSquares.length(column)
                #expect(our >= 0)
                #expect(abs(our - their) * size <= 1e-6 * NonNegativeLeastSquares.length(problem.vector))
                if their == 0 { held += 1 }
            }
        }
        #expect(held > 20, "some weights must be held at zero, or nothing is shown")
    }

    @Test("A vector or a column of zeros weighs nothing")
    func zeros() {
        #expect(NonNegativeLeastSquares.solve(columns: [[1, 2], [0, 0]], vector: [0, 0]) == [0, 0])
        #expect(NonNegativeLeastSquares.solve(columns: [[0, 0], [1, 1]], vector: [3, 3])[0] == 0)
        #expect(NonNegativeLeastSquares.solve(columns: [], vector: [1]) == [])
        #expect(NonNegativeLeastSquares.solve(columns: [[-1, -1]], vector: [1, 1]) == [0])
    }

    private func observation(
        load: Double, instances: Double = 2, clients: Double, published: Double,
        cost: (_ drivers: [CostModel.Driver: Double]) -> Double
    ) -> CostObservation {
        let drivers: [CostModel.Driver: Double] = [
            .fixed: 1, .instance: instances, .client: clients, .publish: published, .delivery: published * clients,
        ]
        return CostObservation(load: load, drivers: drivers, quantities: [.instanceCPU: cost(drivers)])
    }

    @Test("Where only the rate varies, deliveries have a number, and the rest is said to be told from nothing")
    func rate() throws {
        let observations = [100.0, 200, 400, 800].map { rate in
            observation(load: rate, clients: 50, published: rate) { 0.1 + 2e-6 * ($0[.delivery] ?? 0) }
        }
        let model = try #require(CostModel.fit(.instanceCPU, observations))
        #expect(model.terms.map(\.per) == [.fixed, .delivery])
        #expect(abs(model.terms[0].value - 0.1) < 1e-9 && abs(model.terms[1].value - 2e-6) < 1e-12)
        #expect(
            model.inseparable == [
                .init(driver: .publish, from: [.delivery]), .init(driver: .client, from: [.fixed]),
                .init(driver: .instance, from: [.fixed]),
            ])
        #expect(model.relativeError < 1e-9 && model.leaveOneOutError < 1e-9)
        #expect(model.observations == 4)
    }

    @Test("Drivers that move on their own all get their own numbers")
    func separable() throws {
        let costs: [CostModel.Driver: Double] = [
            .fixed: 0.02, .delivery: 1e-5, .publish: 3e-4, .client: 1e-3, .instance: 0.05,
        ]
        let mixes: [(instances: Double, clients: Double, rate: Double)] = [
            (1, 10, 100), (2, 10, 400), (4, 80, 50), (1, 40, 20), (8, 20, 10), (3, 100, 300), (2, 5, 1000),
            (6, 60, 200),
        ]
        let observations = mixes.enumerated().map { index, mix in
            observation(load: Double(index), instances: mix.instances, clients: mix.clients, published: mix.rate) {
                $0.reduce(0) { sum, driver in sum + driver.value * (costs[driver.key] ?? 0) }
            }
        }
        let model = try #require(CostModel.fit(.instanceCPU, observations))
        #expect(model.inseparable == [])
        let values = Dictionary(uniqueKeysWithValues: model.terms.map { ($0.per, $0.value) })
        for (driver, value) in costs { #expect(abs((values[driver] ?? 0) / value - 1) < 1e-6, "\(driver)") }
    }

    @Test("Noise shows in the error, and more so where a load is predicted from the others")
    func noise() throws {
        let observations = [100.0, 200, 300, 400, 500].enumerated().map { index, rate in
            observation(load: rate, clients: 50, published: rate) {
                (0.1 + 2e-6 * ($0[.delivery] ?? 0)) * (index.isMultiple(of: 2) ? 1.1 : 0.9)
            }
        }
        let model = try #require(CostModel.fit(.instanceCPU, observations))
        #expect(model.relativeError > 0.05 && model.relativeError < 0.15)
        #expect(model.leaveOneOutError > model.relativeError)
    }

    @Test("A cost that falls with the load gets no negative number")
    func falling() throws {
        let observations = [100.0, 200, 400].map { rate in
            observation(load: rate, clients: 50, published: rate) { 1 - 1e-5 * ($0[.delivery] ?? 0) }
        }
        let model = try #require(CostModel.fit(.instanceCPU, observations))
        #expect(model.terms.last?.value == 0)
    }

    @Test("Two loads are too few for a line and its error, and what nobody sees has no model")
    func tooFew() {
        let observations = [100.0, 200].map { rate in
            observation(load: rate, clients: 50, published: rate) { 2e-6 * ($0[.delivery] ?? 0) }
        }
        #expect(CostModel.fit(.instanceCPU, observations) == nil)
        #expect(CostModel.fit(.redisCPU, observations) == nil)
        #expect(CostModel.fitAll([]).isEmpty)
    }
}
