#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A thread of its own for work that blocks, with a name that debuggers and `top` show.
public final class DedicatedThread: Sendable {
    private let finished = Monitor(false)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes are kept by the kernel.
    ///   - body: What it runs, once.
    public init(name: String, _ body: @escaping @Sendable () -> Void) {
        let finished = self.finished
        let start = ThreadStart(name: name) {
            body()
            finished.update { $0 = true }
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(start).toOpaque()
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
                start.nameThisThread()
                start.body()
                return nil
            }, context)
        precondition(status == 0, "the system refuses to make another thread (error \(status))")
        pthread_detach(thread)
    }

    /// Waits until the thread has ended; false when it has not by the deadline.
    ///
    /// Blocks: not for event loops or async functions.
    public func join(until deadline: MonotonicInstant) -> Bool {
        finished.wait(until: deadline) { $0 ? true : nil } ?? false
    }

    /// Runs `body` on a thread of its own and returns what it returns, without blocking the caller's.
    public static func perform<Result: Sendable>(
        name: String, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            _ = DedicatedThread(name: name) { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    /// Whether the thread has ended.
    public var hasEnded: Bool { finished.withLock { $0 } }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    /// Through /proc, since the C library's call is hidden behind a feature macro.
    func nameThisThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = Array(name.utf8.prefix(15)).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }
}
