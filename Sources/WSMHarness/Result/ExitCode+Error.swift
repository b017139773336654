internal import WSMRedis

extension ExitCode {
    /// The exit code for an error that ended a command: the one place where errors become codes.
    package init(for error: any Error) {
        switch error {
        case let error as HarnessError: self = error.code.exitCode
        case let error as RedisError: self = ExitCode(redis: error.code)
        default: self = .internalError
        }
    }

    /// Redis' own failures belong to the environment; what could not even be sent is a fault of wsmlab.
    private init(redis code: RedisError.Code) {
        switch code {
        case .connectFailed, .timedOut, .connectionLost, .protocolViolation, .serverError, .authenticationFailed,
            .serverNotStarted, .unavailable, .redirected, .tooManyRedirections, .notMaster:
            self = .environment
        case .tooManyPending, .closed, .invalidCommand: self = .internalError
        }
    }
}
