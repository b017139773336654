/// What one resource costs, as a sum of terms, fitted to the runs of the curve.
package struct CostModel: Codable, Equatable, Sendable {
    package enum Quantity: String, Codable, Sendable, CaseIterable {
        /// CPU seconds a second of the instances and their workers.
        case instanceCPU
        /// CPU seconds a second of Redis.
        case redisCPU
        /// Resident bytes of the instances' processes, and of the load generator where it shares theirs.
        case memory
        case redisConnections
    }

    /// What a term is multiplied by.
    package enum Driver: String, Codable, Sendable, CaseIterable {
        /// One: what is there at any load.
        case fixed
        case instance
        case client
        /// A published message (a second, where the quantity is one).
        case publish
        /// A delivered message (a second, where the quantity is one).
        case delivery
    }

    package struct Term: Codable, Equatable, Sendable {
        package var per: Driver
        /// CPU seconds, bytes or connections; never negative.
        package var value: Double

        package init(per: Driver, value: Double) {
            self.per = per
            self.value = value
        }
    }

    /// A driver that the curve cannot tell apart from others, so that it has no number.
    package struct Inseparable: Codable, Equatable, Sendable {
        package var driver: Driver
        /// Those that it moved together with; their terms hold its cost too.
        package var from: [Driver]

        package init(driver: Driver, from: [Driver]) {
            self.driver = driver
            self.from = from
        }
    }

    package var quantity: Quantity
    package var terms: [Term]
    package var inseparable: [Inseparable]
    /// Runs that it was fitted to.
    package var observations: Int
    /// The root of the mean square of what is left over, as a part of the mean.
    package var relativeError: Double
    /// The same where each load in turn is left out of the fit and then predicted.
    package var leaveOneOutError: Double

    package init(
        quantity: Quantity, terms: [Term], inseparable: [Inseparable], observations: Int, relativeError: Double,
        leaveOneOutError: Double
    ) {
        self.quantity = quantity
        self.terms = terms
        self.inseparable = inseparable
        self.observations = observations
        self.relativeError = relativeError
        self.leaveOneOutError = leaveOneOutError
    }
}
