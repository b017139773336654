import Foundation
import Synchronization
import WSMHarness

/// Ctrl-C and SIGTERM: the first asks the command to end in order, the second ends the program at once.
enum Signals {
    /// The writing end of the pipe that the handler tells of a signal; -1 before ``watch(_:first:last:)``.
    private static let pipeEnd = Atomic<Int32>(-1)

    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Lets a write beyond the user's limit fail, in place of ending the program: a run goes on without its trace.
    ///
    /// A handler and not ignored, for the reason below.
    static func surviveFileSizeLimit() {
        signal(SIGXFSZ) { _ in }
    }

    /// Turns signals into a request on `interruption`.
    ///
    /// `first` is called for the first signal, and `last` just before a second one ends the program with 130; both on a
    /// thread of their own. The handlers are plain ones, which a started redis-server does not inherit, as it would a
    /// blocked or ignored signal.
    static func watch(
        _ interruption: Interruption, first: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void
    ) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (readEnd, writeEnd) = (ends[0], ends[1])
        pipeEnd.store(writeEnd, ordering: .sequentiallyConsistent)
        Thread.detachNewThread {
            waitForSignal(readEnd)
            first()
            interruption.request()
            waitForSignal(readEnd)
            last()
            _exit(WSMHarness.ExitCode.interrupted.rawValue)
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
    }

    /// Runs inside a signal: it may call nothing but what is async-signal-safe, and leaves `errno` as it was.
    private static let handler: @convention(c) (Int32) -> Void = { _ in
        let saved = errno
        var byte: UInt8 = 1
        _ = write(Signals.pipeEnd.load(ordering: .relaxed), &byte, 1)
        errno = saved
    }

    private static func waitForSignal(_ descriptor: Int32) {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) < 0, errno == EINTR {}
    }
}
