import NIOCore
import Synchronization
import Testing
import WSMClients
import WSMCore
import WSMManagers
import WSMRecord

@testable import WSMInstance

/// The broadcasts of endpoints: on the event loop in the hardened profile, on a thread in the reference's.
@Suite("Broadcasts of endpoints", .timeLimit(.minutes(2)))
struct DirectBroadcasterTests {
    /// What became of broadcasts, by those who wait for them.
    private final class Answers: Sendable {
        private let counts = Mutex((published: 0, not: 0))

        var published: Int { counts.withLock { $0.published } }
        var notPublished: Int { counts.withLock { $0.not } }

        func item(_ number: Int) -> DirectBroadcast {
            let json = Array(#"{"number":\#(number)}"#.utf8)
            return DirectBroadcast(broadcast: Broadcast(channels: [.events], json: json)) { isPublished in
                self.counts.withLock { if isPublished { $0.published += 1 } else { $0.not += 1 } }
            }
        }
    }

    /// Lets an event loop stand still while `body` runs.
    private func holding(_ loop: any EventLoop, _ body: () -> Void) async throws {
        let held = Monitor(true)
        let isHeld = Monitor(false)
        let blocked = loop.submit {
            isHeld.update { $0 = true }
            _ = held.wait(until: .now() + .seconds(30)) { $0 ? nil : true }
        }
        try await eventually("the event loop to stand still") { isHeld.withLock { $0 } }
        body()
        held.update { $0 = false }
        try await blocked.get()
    }

    @Test(
        "They arrive in the order of their coming, whoever makes them, and each is answered once",
        arguments: Profile.allCases)
    func order(profile: Profile) async throws {
        try await InstanceFixture.with(.memory, profile: profile) { fixture in
            let fleet = try await fixture.connect(3, direct: false)
            try await fixture.awaitClients(3)
            let broadcaster = fixture.instances[0].manager.makeDirectBroadcaster(name: "test-api", entity: 77)
            let answers = Answers()
            let next = Mutex(0)
            let callers = (0..<4).map { caller in
                DedicatedThread(name: "test-caller-\(caller)") {
                    for _ in 0..<250 {
                        broadcaster.put {
                            answers.item(
                                next.withLock { next in
                                    defer { next += 1 }
                                    return next
                                })
                        }
                    }
                }
            }
            for caller in callers { #expect(caller.join(until: .now() + .seconds(30))) }
            #expect(broadcaster.stop(until: .now() + .seconds(30)))
            #expect(answers.published == 1000 && answers.notPublished == 0)
            let expected = (0..<1000).map { #"{"number":\#($0)}"# }
            try await eventually("1,000 messages for each of 3 clients") {
                try await received(fleet).values.allSatisfy { $0.count >= 1000 }
            }
            #expect(try await received(fleet).values.allSatisfy { $0 == expected })
            _ = try await fleet.finish()
        }
    }

    @Test("After a stop nobody is taken, and who asks is told so", arguments: Profile.allCases)
    func stopped(profile: Profile) async throws {
        try await InstanceFixture.with(.memory, profile: profile) { fixture in
            let broadcaster = fixture.instances[0].manager.makeDirectBroadcaster(name: "test-api", entity: 77)
            #expect(broadcaster.stop(until: .now() + .seconds(30)))
            let answers = Answers()
            broadcaster.put { answers.item(1) }
            #expect(answers.notPublished == 1 && answers.published == 0)
        }
    }

    @Test("While the event loop stands still a bounded number is taken, and a stop waits no longer than its deadline")
    func bounded() async throws {
        try await InstanceFixture.with(.memory) { fixture in
            let manager = fixture.instances[0].manager
            let broadcaster = LoopDirectBroadcaster(manager: manager)
            let answers = Answers()
            try await holding(manager.eventLoop) {
                for number in 0..<(DirectBroadcast.limit + 2) { broadcaster.put { answers.item(number) } }
                #expect(answers.notPublished == 2 && answers.published == 0)
                #expect(!broadcaster.stop(until: .now() + .milliseconds(50)))
            }
            #expect(broadcaster.stop(until: .now() + .seconds(60)))
            #expect(answers.published == DirectBroadcast.limit)
        }
    }

    @Test("Who is abandoned is told that nothing is certain, once")
    func abandoned() async throws {
        try await InstanceFixture.with(.memory) { fixture in
            let manager = fixture.instances[0].manager
            let broadcaster = LoopDirectBroadcaster(manager: manager)
            let answers = Answers()
            try await holding(manager.eventLoop) {
                for number in 0..<3 { broadcaster.put { answers.item(number) } }
                broadcaster.abandon()
                #expect(answers.notPublished == 3)
            }
            #expect(broadcaster.stop(until: .now() + .seconds(30)))
            #expect(answers.notPublished == 3 && answers.published == 0)
        }
    }

    /// Counts messages, for whoever asks on whatever thread.
    private final class Count: DeliverySink, Sendable {
        private let count = Mutex(0)

        var value: Int { count.withLock { $0 } }

        func sessionOpened(
            client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant,
            openedAt: MonotonicInstant
        ) -> Int { 0 }

        func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
            count.withLock { $0 += 1 }
        }

        func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant) {}

        func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) {}
    }

    @Test("What follows from a broadcast's end on the event loop, as an answer to its caller, comes before the fan-out")
    func answeredFirst() async throws {
        try await InstanceFixture.with(.memory) { fixture in
            let manager = fixture.instances[0].manager
            let received = Count()
            // Clients without sockets on the manager's own loop have a message when it is written.
            let host = DirectFleet<Count>.Host(loop: manager.eventLoop) {
                try manager.attachDirectClients($0, on: manager.eventLoop)
            }
            let fleet = DirectFleet<Count>(hosts: [host], options: FleetOptions(seed: 1)) { _ in received }
            try await fleet.connectAll([FleetClient(index: 0, instance: 0, connectAt: .zero)], startingAt: .now())
            try await fleet.awaitConnected(deadline: .now() + .seconds(20))
            try await fixture.awaitClients(1)
            let broadcaster = LoopDirectBroadcaster(manager: manager)
            let seen = Mutex<[Int]>([])
            for number in 1...3 {
                let json = Array(#"{"number":\#(number)}"#.utf8)
                broadcaster.put {
                    DirectBroadcast(broadcast: Broadcast(channels: [.events], json: json)) { _ in
                        manager.eventLoop.execute { seen.withLock { $0.append(received.value) } }
                    }
                }
                try await eventually("broadcast \(number)") {
                    seen.withLock { $0.count == number } && received.value == number
                }
            }
            #expect(seen.withLock { $0 } == [0, 1, 2])
            _ = try await fleet.finish()
        }
    }
}
