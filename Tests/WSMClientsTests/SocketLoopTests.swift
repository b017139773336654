import NIOCore
import Synchronization
import Testing
import WSMCore

@testable import WSMClients

@Suite("The loop of clients' sockets", .timeLimit(.minutes(1)))
struct SocketLoopTests {
    @Test("Tasks run in the order they came, on the loop's own thread")
    func tasks() async throws {
        let loop = try SocketLoop(name: "test-loop")
        let seen = Mutex<[Int]>([])
        for number in 0..<1000 { loop.execute { seen.withLock { $0.append(number) } } }
        let isInside = try await loop.submit { loop.inEventLoop }.get()
        #expect(isInside && !loop.inEventLoop)
        #expect(seen.withLock { $0 } == Array(0..<1000))
        await loop.shutDown()
    }

    @Test("Timers go off in the order of their instants, not before them, and a cancelled one never")
    func timers() async throws {
        let loop = try SocketLoop(name: "test-loop")
        let start = MonotonicInstant.now()
        let seen = Mutex<[Int]>([])
        let timers = [30, 10, 20, 10].enumerated().map { index, delay in
            loop.scheduleTask(in: .milliseconds(Int64(delay))) { () -> TimeSpan in
                seen.withLock { $0.append(index) }
                return .now() - start
            }
        }
        let cancelled = loop.scheduleTask(in: .milliseconds(5)) { seen.withLock { $0.append(99) } }
        cancelled.cancel()
        for (delay, timer) in zip([30, 10, 20, 10], timers) {
            #expect(try await timer.futureResult.get() >= .milliseconds(Int64(delay)))
        }
        #expect(seen.withLock { $0 } == [1, 3, 2, 0])
        await #expect(throws: EventLoopError.self) { try await cancelled.futureResult.get() }
        await loop.shutDown()
    }

    @Test("What is asked of a loop that has ended fails, and what waited for it does not wait on")
    func end() async throws {
        let loop = try SocketLoop(name: "test-loop")
        let later = loop.scheduleTask(in: .hours(1)) {}
        await loop.shutDown()
        await #expect(throws: EventLoopError.self) { try await later.futureResult.get() }
        await #expect(throws: EventLoopError.self) { try await loop.submit {}.get() }
        await #expect(throws: EventLoopError.self) {
            try await loop.scheduleTask(in: .nanoseconds(0)) {}.futureResult.get()
        }
        await loop.shutDown()
    }

    @Test("A token names its socket only: whoever has its place later is another")
    func registry() {
        var registry = SocketRegistry<String>()
        #expect(registry[0] == nil && registry[.max] == nil)
        let first = registry.add("first")
        let second = registry.add("second")
        registry.remove(first)
        let third = registry.add("third")
        #expect(registry[first] == nil && registry[second] == "second" && registry[third] == "third")
        registry.remove(first)
        #expect(registry[third] == "third" && registry.all.sorted() == ["second", "third"])
    }
}
