import NIOCore
import NIOPosix
import Synchronization
import Testing
import WSMCore
import WSMRedis

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The event loops of all tests.
let loops = MultiThreadedEventLoopGroup.singleton

/// Long enough for a busy machine; no test that passes waits for it.
let patience = TimeSpan.seconds(30)

/// Waits until `condition` holds; fails the test, naming what was awaited, when it does not within the deadline.
func eventually(
    _ what: String, within deadline: TimeSpan = patience, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = MonotonicInstant.now() + deadline
    while try await !condition() {
        guard MonotonicInstant.now() < end else {
            Issue.record("waited \(deadline.seconds) s in vain for: \(what)", sourceLocation: sourceLocation)
            throw TimedOut(what: what)
        }
        try await Task.sleep(nanoseconds: 2_000_000)
    }
}

struct TimedOut: Error {
    let what: String
}

/// Runs blocking code on a thread of its own, since the tests' own threads are two.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await NIOThreadPool.singleton.runIfActive(body)
}

/// What a handler heard, from any thread.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func append(_ element: Element) { elements.withLock { $0.append(element) } }
    var all: [Element] { elements.withLock { $0 } }
}

extension Trait where Self == ConditionTrait {
    /// Tests on a real Redis fail without redis-server, unless somebody says that they are to be left out.
    static var needsRedis: Self {
        .disabled(if: getenv("WSMLAB_SKIP_REDIS_TESTS") != nil, "WSMLAB_SKIP_REDIS_TESTS is set")
    }
}

/// Gives `body` a private Redis and ends it afterwards.
func withRedis(
    _ options: EmbeddedRedis.Options = .init(), _ body: (EmbeddedRedis) async throws -> Void
) async throws {
    let redis = try await EmbeddedRedis.start(options)
    do {
        try await body(redis)
    } catch {
        await redis.stop()
        throw error
    }
    await redis.stop()
}

func connect(_ url: RedisURL, options: RedisConnection.Options = .init()) async throws -> RedisConnection {
    try await RedisConnection.connect(to: url, on: loops.next(), deadline: patience, options: options).get()
}

func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
