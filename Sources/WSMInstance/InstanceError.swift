/// Why an instance could not start or do what was asked.
public struct InstanceError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The listening address cannot be had.
        case addressUnavailable
        /// Its certificate or key for TLS cannot be used.
        case certificateUnusable
        /// An event loop of the instance did not come to the pause in time.
        case pauseTimedOut
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message }
}
