import NIOCore
import NIOPosix
import Testing
import WSMCore
import WSMInstance
import WSMManagers

@Suite("A manager that lives long", .timeLimit(.minutes(2)))
struct LongLifeTests {
    private final class Nobody: DirectReceiver {
        func received(_ message: UnsafeRawBufferPointer, by members: UnsafeBufferPointer<Int32>) {}
        func ended(_ member: Int32, code: UInt16?) {}
    }

    /// Opens and closes a client `count` times, each in a turn of the loop of its own.
    private static func comeAndGo(_ port: any DirectPort, _ count: Int, on loop: any EventLoop) -> EventLoopFuture<Void>
    {
        let promise = loop.makePromise(of: Void.self)
        let bound = NIOLoopBound(port, eventLoop: loop)
        @Sendable func turn(_ left: Int) {
            guard left > 0 else { return promise.succeed() }
            if let client = bound.value.open(0) { bound.value.close(client) }
            loop.execute { turn(left - 1) }
        }
        loop.execute { turn(count) }
        return promise.futureResult
    }

    @Test("Its hundred-thousandth event is handled as its first: nothing grows with their number")
    func manyEvents() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let manager = try await LiveWebSocketManager.make(.init(), on: [loop]).get()
        try await loop.flatSubmit {
            do {
                return Self.comeAndGo(try manager.attachDirectClients(Nobody(), on: loop), 100_000, on: loop)
            } catch {
                return loop.makeFailedFuture(error)
            }
        }.get()
        try await eventually("all to be gone") {
            let sockets = try await manager.openSockets()
            return sockets == 0 && manager.counters.clients == 0
        }
        #expect(manager.counters.connections == 100_000)
        try await group.shutdownGracefully()
    }
}
