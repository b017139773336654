import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord

/// One of three clients stops reading, for good, while an instance broadcasts far more than sockets hold.
@Suite("Slow clients on real sockets", .serialized, .timeLimit(.minutes(3)))
struct SlowClientTests {
    /// What the kernel may hold of one connection: 4 MiB to be sent (tcp_wmem) and 6 MiB received (tcp_rmem).
    private static let kernelBytes = 10 << 20
    private static let messageBytes = 256 << 10

    private struct Seen {
        var healthy: [Int] = []
        var stalled = 0
        var stalledEnd: SessionEnd?
        var evicted = 0
    }

    private func run(_ kind: ManagerKind, _ slow: SlowClient, messages: Int) async throws -> Seen {
        var seen = Seen()
        let change: (inout LiveInstance.Configuration) -> Void = { $0.manager.policies.slowClient = slow }
        try await InstanceFixture.with(kind, change: change) { fixture in
            let fleet = try await fixture.connect(3, direct: false)
            try await fixture.awaitClients(3)
            try fleet.disturb(.init(.stall(until: .now() + .seconds(3600)), of: [1], at: .now()))
            try await eventually("the stall") { await fleet.statistics().stalled == 1 }
            let filler = String(repeating: "x", count: Self.messageBytes)
            for first in stride(from: 0, to: messages, by: 2) {
                #expect(await fixture.broadcast((first..<first + 2).map { "\($0) \(filler)" }))
                // On a busy machine a healthy client, too, may fall behind by more than the limit, and rightly lose.
                try await eventually("the healthy to have message \(first + 1)") {
                    let received = try await fleet.withSinks { $0.byClient }[0]
                    return [0, 2].allSatisfy { received[$0]?.count == first + 2 }
                }
            }
            fleet.releaseSlowReaders()
            try await eventually("the stalled to have what there is") {
                if slow.policy == .disconnect { return try await Self.stalled(fleet).ended }
                if slow.policy == .buffer { return try await Self.stalled(fleet).count == messages }
                let before = try await Self.stalled(fleet).count
                try await Task.sleep(for: .milliseconds(300))
                let after = try await Self.stalled(fleet).count
                return before > 0 && after == before
            }
            let received = try await fleet.withSinks { ($0.byClient, $0.end(of: 1)) }[0]
            for client: UInt32 in [0, 2] {
                let numbers = received.0[client, default: []].compactMap { Int($0.prefix { $0 != " " }) }
                #expect(numbers == Array(0..<messages), "client \(client)")
            }
            let numbers = received.0[1, default: []].compactMap { Int($0.prefix { $0 != " " }) }
            #expect(numbers == numbers.sorted())
            seen.stalled = numbers.count
            seen.stalledEnd = received.1
            seen.evicted = fixture.instances[0].manager.counters.evicted
            _ = try await fleet.finish()
        }
        return seen
    }

    private static func stalled(_ fleet: any Fleet<Receipts>) async throws -> (count: Int, ended: Bool) {
        try await fleet.withSinks { ($0.byClient[1, default: []].count, $0.end(of: 1) != nil) }[0]
    }

    @Test("disconnect ends it at its limit, and no more waits for it than that", arguments: ManagerKind.allCases)
    func disconnect(kind: ManagerKind) async throws {
        let seen = try await run(kind, SlowClient(policy: .disconnect, limit: 1 << 20), messages: 60)
        #expect(seen.evicted == 1)
        #expect(seen.stalledEnd == .dropped)
        #expect(seen.stalled * Self.messageBytes <= Self.kernelBytes + (2 << 20))
    }

    @Test("drop leaves out what does not fit and keeps it, and no more waits for it than the limit")
    func drop() async throws {
        let seen = try await run(.broadcast, SlowClient(policy: .drop, limit: 1 << 20), messages: 60)
        #expect(seen.evicted == 0)
        #expect(seen.stalledEnd == nil)
        #expect(seen.stalled > 0)
        #expect(seen.stalled * Self.messageBytes <= Self.kernelBytes + (2 << 20))
    }

    @Test("buffer keeps all for it, and loses nothing below its ceiling of 64 MiB")
    func buffer() async throws {
        let seen = try await run(.memory, SlowClient(policy: .buffer), messages: 60)
        #expect(seen.evicted == 0 && seen.stalled == 60)
    }
}
