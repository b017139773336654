internal import Foundation
internal import WSMCore
internal import WSMSimulation

/// Finds the model's coefficients from the rows of a calibration: non-negative least squares over the CPU time of each part.
package enum CalibrationFit {
    /// What one fit gave: the weight of each driver, and each row's measured value as a part of the fitted one.
    struct Solution {
        var weights: [Double]
        var ratios: [Double]
        var fit: MachineCalibration.Fit
    }

    /// Fewer rows than this fit nothing.
    package static let leastRows = 8

    /// No sleep ends sooner than so many nanoseconds too late.
    private static let leastLateness: Int64 = 1000

    /// All coefficients that CPU time tells, with their residuals; ``MachineCalibration/Name/wakeCold``, `pacing`,
    /// `pacingCold` and `receiveMore` are not among them.
    ///
    /// - Parameter receiveMore: Nanoseconds that a further message of a read costs, which the load generator has measured.
    /// - Throws: ``HarnessError`` where there are too few rows.
    package static func fit(
        _ rows: [CalibrationRow], receiveMore: Int64
    ) throws -> (
        coefficients: [MachineCalibration.Name: MachineCalibration.Coefficient], fits: [MachineCalibration.Fit]
    ) {
        guard rows.count >= leastRows else {
            throw HarnessError(
                .groundMissing,
                "only \(rows.count) runs of the calibration delivered anything, and a fit needs \(leastRows)")
        }
        let broker = rows.filter { $0.load.manager == "broadcast" }
        let publishers = solve(
            "publishers", rows, { without($0.drivers.publishersWaking, of: $0.publishersCPU) },
            [
                { _ in 0 }, \.publishedPerSecond, \.publishedToRedisPerSecond, \.drivers.publishersCold,
                \.drivers.timedWaits,
            ])
        let instances = solve(
            "instances", rows, { without($0.drivers.instancesWaking, of: $0.instancesCPU) },
            [
                { Double($0.load.instances) }, \.drivers.writes, \.kilobytesPerSecond, \.drivers.turns,
                \.inputsPerSecond, \.drivers.instancesCold, \.drivers.writesCold,
            ])
        let redis = solve(
            "redis", broker, { without($0.drivers.redisWaking, of: $0.redisCPU) },
            [{ _ in 1 }, \.publishedPerSecond, \.redisWritesPerSecond, \.drivers.redisCold])
        let more = Double(receiveMore) / 1e9
        let clients = solve(
            "clients", rows,
            {
                without(
                    $0.drivers.clientsWaking + more * $0.drivers.furtherMessages, of: $0.clientsCPU - $0.publishersCPU)
            },
            [
                { _ in 1 }, \.drivers.reads, \.kilobytesPerSecond, \.drivers.clientTurns,
                \.drivers.clientsCold, \.drivers.readsCold,
            ])
        func coefficient(_ solution: Solution, _ place: Int) -> MachineCalibration.Coefficient {
            .init(nanoseconds: Int64((solution.weights[place] * 1e9).rounded()), residuals: residuals(solution.ratios))
        }
        return (
            [
                .write: coefficient(instances, 1), .writePerKilobyte: coefficient(instances, 2),
                .turn: coefficient(instances, 3), .input: coefficient(instances, 4),
                .publish: coefficient(publishers, 1), .publishToRedis: coefficient(publishers, 2),
                .publisherCold: coefficient(publishers, 3), .timedWait: coefficient(publishers, 4),
                .redisCommand: coefficient(redis, 1), .redisSubscriber: coefficient(redis, 2),
                .receive: coefficient(clients, 1), .receivePerKilobyte: coefficient(clients, 2),
                .clientTurn: coefficient(clients, 3), .instanceCold: coefficient(instances, 5),
                .redisCold: coefficient(redis, 3), .clientCold: coefficient(clients, 4),
                .writeCold: coefficient(instances, 6), .receiveCold: coefficient(clients, 5),
            ], [publishers.fit, instances.fit, redis.fit, clients.fit]
        )
    }

    /// How late timed waits are, in nanoseconds: right after the one before, and more for each doubling of the time between.
    ///
    /// Rows in which most broadcasts were due at once, so that the publishers did not sleep, tell nothing of it; 0 where all are such.
    static func pacing(_ rows: [CalibrationRow]) -> (base: Int64, cold: Int64) {
        let slept = rows.filter { $0.slipP50 >= leastLateness }
        let doublings = slept.map { Coldness(after: $0.load.pause).doublings }
        let weights = NonNegativeLeastSquares.solve(
            columns: [slept.map { _ in 1 }, doublings], vector: slept.map { Double($0.slipP50) })
        return (Int64(weights[0].rounded()), Int64(weights[1].rounded()))
    }

    /// What is left of a row's CPU time without a part that is known; a tenth of it at least, or nothing would be left to fit.
    private static func without(_ known: Double, of cpu: Double) -> Double { max(cpu / 10, cpu - known) }

    /// - Parameter drivers: The first is the background.
    private static func solve(
        _ part: String, _ rows: [CalibrationRow], _ measured: (CalibrationRow) -> Double,
        _ drivers: [(CalibrationRow) -> Double]
    ) -> Solution {
        // Each row counts by its relative error: else the largest load alone would decide.
        let scales = rows.map { 1 / max(1e-6, measured($0)) }
        let columns = drivers.map { driver in zip(rows, scales).map { driver($0) * $1 } }
        let values = zip(rows, scales).map { measured($0) * $1 }
        let weights = NonNegativeLeastSquares.solve(columns: columns, vector: values)
        let fitted = rows.map { row in zip(drivers, weights).reduce(0) { $0 + $1.0(row) * $1.1 } }
        let seen = rows.map(measured)
        let mean = seen.reduce(0, +) / Double(max(1, seen.count))
        let left = zip(seen, fitted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let spread = seen.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let error = (left / Double(max(1, seen.count))).squareRoot()
        return Solution(
            weights: weights, ratios: zip(seen, fitted).compactMap { $1 > 0 ? $0 / $1 : nil },
            fit: .init(
                part: part, rSquared: spread > 0 ? 1 - left / spread : 0, relativeError: mean > 0 ? error / mean : 0,
                background: Int64((weights[0] * 1e9).rounded()), rows: rows.count))
    }

    /// The quantiles of measured values as parts of the model's, at each of the values.
    package static func residuals(_ ratios: [Double]) -> [MachineCalibration.Residual] {
        let sorted = ratios.filter(\.isFinite).sorted()
        guard sorted.count >= 2 else { return [] }
        return sorted.enumerated().map { place, ratio in
            .init(
                perMillion: Int64(place) * 1_000_000 / Int64(sorted.count - 1),
                perMille: Int64(min(1e6, max(0, ratio * 1000)).rounded()))
        }
    }
}

extension CalibrationRow {
    fileprivate var kilobytesPerSecond: Double { deliveriesPerSecond * Double(load.payload) / 1024 }
    fileprivate var publishedToRedisPerSecond: Double { load.manager == "broadcast" ? publishedPerSecond : 0 }
    /// Messages from the broker, or from publishing threads in memory.
    fileprivate var inputsPerSecond: Double { publishedPerSecond * Double(load.instances) }
    /// To each instance's subscription, and the reply to whom publishes.
    fileprivate var redisWritesPerSecond: Double { publishedPerSecond * Double(load.instances + 1) }
}
