/// Why a fleet could not do what it was asked for.
package struct FleetError: Error, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// An endpoint's host is unknown or its port impossible.
        case invalidEndpoint
        /// The plan names an instance that does not exist, or a client twice.
        case invalidPlan
        /// Not all clients had connected by the deadline.
        case notAllConnected
        /// The call came in the wrong phase of the fleet's life.
        case wrongPhase
    }

    package var code: Code
    /// What is wrong and what to do about it.
    package var message: String
    package var cause: (any Error)?

    package init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        cause.map { "\(message) (\($0))" } ?? message
    }
}
