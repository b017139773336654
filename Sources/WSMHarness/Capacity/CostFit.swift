/// What one run of a capacity search drew from its resources, and by what.
package struct CostObservation: Hashable, Sendable {
    package var load: Double
    package var drivers: [CostModel.Driver: Double]
    /// What was seen; nothing stands for what nobody sees.
    package var quantities: [CostModel.Quantity: Double]

    package init(
        load: Double, drivers: [CostModel.Driver: Double], quantities: [CostModel.Quantity: Double]
    ) {
        self.load = load
        self.drivers = drivers
        self.quantities = quantities
    }

    package init(_ result: RunResult, load: Double) {
        let seconds = max(1e-9, Double(result.durationNanoseconds) / 1e9)
        self.load = load
        drivers = [
            .fixed: 1, .instance: Double(result.setup.instances), .client: Double(result.clients.connected),
            .publish: Double(result.delivery.published) / seconds, .delivery: result.delivery.perSecond,
        ]
        quantities = [:]
        let resources = result.resources
        if !resources.instances.isEmpty {
            let parts = resources.instances + (resources.workers ?? [])
            quantities[.instanceCPU] = parts.reduce(0) { $0 + $1.cpuSeconds } / seconds
            quantities[.memory] = MetricLookup.value(at: "resources.instances.rssBytes", in: result)
        }
        if let cpu = resources.redis?.cpuSeconds { quantities[.redisCPU] = cpu / seconds }
        if let redis = resources.redis { quantities[.redisConnections] = Double(redis.connections) }
    }
}

extension CostModel {
    /// A driver is told apart from others only if this part of it at least is not made up by them.
    package static let leastOwnPart = 0.05

    /// The drivers of a quantity; where two cannot be told apart, the one that stands first has the number.
    private static func drivers(of quantity: Quantity) -> [Driver] {
        switch quantity {
        case .instanceCPU: [.fixed, .delivery, .publish, .client, .instance]
        case .redisCPU: [.fixed, .publish, .delivery, .client, .instance]
        case .memory: [.fixed, .client, .instance, .publish, .delivery]
        // A delivery opens none; a publish may, where each has a connection of its own.
        case .redisConnections: [.fixed, .client, .instance, .publish]
        }
    }

    /// The models of all quantities that the runs show and that have loads enough for a fit and its error.
    package static func fitAll(_ observations: [CostObservation]) -> [CostModel] {
        Quantity.allCases.compactMap { fit($0, observations) }
    }

    /// Fits a sum of non-negative terms; `nil` where there are not more loads than terms, so that no error could be told.
    package static func fit(_ quantity: Quantity, _ observations: [CostObservation]) -> CostModel? {
        let seen = observations.filter { $0.quantities[quantity] != nil }
        let values = seen.compactMap { $0.quantities[quantity] }
        let (drivers, inseparable) = separate(drivers(of: quantity), seen)
        let loads = Set(seen.map(\.load)).sorted()
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        guard loads.count > drivers.count, mean > 0 else { return nil }
        let weights = solve(drivers, seen, values)
        let residuals = zip(seen, values).map { $1 - predict(drivers, weights, $0) }
        var left: [Double] = []
        for load in loads {
            let kept = zip(seen, values).filter { $0.0.load != load }
            let fitted = solve(drivers, kept.map(\.0), kept.map(\.1))
            for (observation, value) in zip(seen, values) where observation.load == load {
                left.append(value - predict(drivers, fitted, observation))
            }
        }
        return CostModel(
            quantity: quantity, terms: zip(drivers, weights).map { Term(per: $0, value: $1) },
            inseparable: inseparable, observations: seen.count, relativeError: rootMeanSquare(residuals) / mean,
            leaveOneOutError: rootMeanSquare(left) / mean)
    }

    /// The drivers that move on their own, and the others with those that they move together with.
    private static func separate(
        _ drivers: [Driver], _ observations: [CostObservation]
    ) -> (kept: [Driver], inseparable: [Inseparable]) {
        var kept: [(driver: Driver, direction: [Double])] = []
        var inseparable: [Inseparable] = []
        for driver in drivers {
            let column = column(driver, observations)
            let length = NonNegativeLeastSquares.length(column)
            guard length > 0 else { continue }
            var rest = column
            var shares: [(driver: Driver, part: Double)] = []
            for (other, direction) in kept {
                let along = NonNegativeLeastSquares.dot(direction, rest)
                NonNegativeLeastSquares.subtract(along, direction, from: &rest)
                shares.append((other, abs(along) / length))
            }
            let own = NonNegativeLeastSquares.length(rest)
            if own > leastOwnPart * length {
                kept.append((driver, rest.map { $0 / own }))
            } else {
                // What lies in the direction of a later one moves with it; the fixed part alone is the last resort.
                let moving = shares.filter { $0.driver != .fixed && $0.part > leastOwnPart }.map(\.driver)
                inseparable.append(Inseparable(driver: driver, from: moving.isEmpty ? [.fixed] : moving))
            }
        }
        return (kept.map(\.driver), inseparable)
    }

    private static func column(_ driver: Driver, _ observations: [CostObservation]) -> [Double] {
        observations.map { $0.drivers[driver] ?? 0 }
    }

    private static func solve(
        _ drivers: [Driver], _ observations: [CostObservation], _ values: [Double]
    ) -> [Double] {
        NonNegativeLeastSquares.solve(columns: drivers.map { column($0, observations) }, vector: values)
    }

    private static func predict(_ drivers: [Driver], _ weights: [Double], _ observation: CostObservation) -> Double {
        zip(drivers, weights).reduce(0) { $0 + $1.1 * (observation.drivers[$1.0] ?? 0) }
    }

    private static func rootMeanSquare(_ values: [Double]) -> Double {
        (values.reduce(0) { $0 + $1 * $1 } / Double(max(1, values.count))).squareRoot()
    }
}
