/// Why a run or a server could not do its work: a code to decide on, a sentence for people, and what lay beneath.
package struct HarnessError: Error, CustomStringConvertible {
    /// What kind of failure it was; few and fixed.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// No Redis answers at the URL, or the private redis-server did not come up.
        case redisUnavailable
        /// An address cannot be listened on.
        case portUnavailable
        /// A certificate or key for TLS cannot be used.
        case certificateUnusable
        /// The process may not open as many files as the run has connections.
        case tooFewFileDescriptors
        /// The run folder cannot be made or written.
        case outputNotWritable
        /// A system under test that should be there does not answer.
        case targetUnavailable
        /// What a run by another program needed is missing; its own words say what.
        case groundMissing
        /// The scenario asks for something that this version cannot do.
        case notSupported
        /// A stored file is damaged or of another format.
        case invalidData
        /// A process of the run ended on its own, or could not be started.
        case childFailed
        /// A fault of wsmlab itself.
        case internalFault

        /// The exit code that tells it to scripts.
        package var exitCode: ExitCode {
            switch self {
            case .redisUnavailable, .portUnavailable, .tooFewFileDescriptors, .outputNotWritable, .targetUnavailable,
                .certificateUnusable, .groundMissing:
                .environment
            case .notSupported, .invalidData: .invalidData
            case .childFailed, .internalFault: .internalError
            }
        }
    }

    package let code: Code
    /// What is wrong and what to do about it; never holds a password.
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        cause.map { "\(message) (\($0))" } ?? message
    }
}
