import ArgumentParser
import WSMHarness
import WSMRedis

/// Ends the program after an error: a sentence on stderr, and the exit code that tells its kind.
enum Failure {
    static func exit(_ error: any Error) -> Never {
        Output.standard.flush()
        if isOwn(error) {
            Output.errors.write("wsmlab: error: \(Output.printable("\(error)"))\n")
            Wsmlab.exit(withError: code(WSMHarness.ExitCode(for: error)))
        }
        // What is left are the parser's own: usage errors, --help, --version, and codes that commands end with.
        Wsmlab.exit(withError: error)
    }

    /// The parser's value for one of our codes.
    static func code(_ code: WSMHarness.ExitCode) -> ArgumentParser.ExitCode {
        ArgumentParser.ExitCode(code.rawValue)
    }

    /// Whether the error comes from our modules, so that its text is a sentence for people.
    private static func isOwn(_ error: any Error) -> Bool {
        error is HarnessError || error is RedisError
    }
}
