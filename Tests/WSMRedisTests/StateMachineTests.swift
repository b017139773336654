import Testing
import WSMCore

@testable import WSMRedis

private func instant(_ milliseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
}

struct RedisCommandQueueTests {
    private typealias Queue = RedisCommandQueue<String>

    private func makeQueue(commands: Int = 3, bytes: Int = 100) -> Queue {
        Queue(bounds: .init(commands: commands, bytes: bytes))
    }

    private func refusal(_ action: Queue.SubmitAction) -> RedisError.Code? {
        if case .refuse(let error) = action { error.code } else { nil }
    }

    private func completed(_ action: Queue.ReplyAction) -> String? {
        if case .complete(let token) = action { token } else { nil }
    }

    @Test("Replies belong to the commands in their order")
    func order() {
        var queue = makeQueue()
        for token in ["a", "b", "c"] { #expect(refusal(queue.submit(token, bytes: 1, deadline: instant(1))) == nil) }
        #expect(completed(queue.replyArrived()) == "a")
        #expect(completed(queue.replyArrived()) == "b")
        #expect(completed(queue.replyArrived()) == "c")
        guard case .violation(let error) = queue.replyArrived() else {
            Issue.record("a reply that nobody asked for was accepted")
            return
        }
        #expect(error.code == .protocolViolation)
    }

    @Test("Commands and bytes are bounded, and a reply makes room")
    func bounds() {
        var queue = makeQueue()
        #expect(refusal(queue.submit("huge", bytes: 1000, deadline: instant(1))) == nil)
        #expect(refusal(queue.submit("more", bytes: 1, deadline: instant(1))) == .tooManyPending)
        #expect(completed(queue.replyArrived()) == "huge")
        for token in ["a", "b", "c"] { #expect(refusal(queue.submit(token, bytes: 33, deadline: instant(1))) == nil) }
        #expect(refusal(queue.submit("d", bytes: 1, deadline: instant(1))) == .tooManyPending)
        #expect(completed(queue.replyArrived()) == "a")
        #expect(refusal(queue.submit("d", bytes: 1, deadline: instant(1))) == nil)
        #expect(queue.count == 3)
    }

    @Test("The earliest deadline counts, not the first command's")
    func deadlines() {
        var queue = makeQueue()
        guard case .idle = queue.timerFired(now: instant(0)) else {
            Issue.record("an empty queue waits")
            return
        }
        _ = queue.submit("late", bytes: 1, deadline: instant(100))
        _ = queue.submit("early", bytes: 1, deadline: instant(50))
        guard case .wait(let until) = queue.timerFired(now: instant(49)), until == instant(50) else {
            Issue.record("the queue does not wait for the earliest deadline")
            return
        }
        guard case .timedOut(let error) = queue.timerFired(now: instant(50)) else {
            Issue.record("the deadline passed unnoticed")
            return
        }
        #expect(error.code == .timedOut)
        #expect(queue.end(error) == ["late", "early"])
    }

    @Test("After the end nothing is accepted and nothing happens")
    func end() {
        var queue = makeQueue()
        _ = queue.submit("a", bytes: 1, deadline: instant(1))
        #expect(queue.end(RedisError(.connectionLost, "gone")) == ["a"])
        #expect(queue.end(RedisError(.closed, "again")).isEmpty)
        #expect(refusal(queue.submit("b", bytes: 1, deadline: instant(1))) == .connectionLost)
        guard case .ignore = queue.replyArrived(), case .idle = queue.timerFired(now: instant(9)) else {
            Issue.record("an ended queue acts")
            return
        }
    }
}

struct RedisLinkStateMachineTests {
    private func makeMachine() -> RedisLinkStateMachine {
        RedisLinkStateMachine(backoff: BackoffPolicy(initial: .milliseconds(100), max: .milliseconds(300), jitter: 0.5))
    }

    @Test("It waits longer after each failure, up to the maximum, and anew after a success")
    func backoff() {
        var machine = makeMachine()
        #expect(machine.needed() == .connect)
        #expect(machine.needed() == .none)
        for expected in [100, 200, 300, 300] as [Int64] {
            #expect(machine.failed(unit: 1) == .wait(.milliseconds(expected)))
            #expect(machine.timerFired() == .connect)
        }
        #expect(machine.opened() == .use)
        #expect(machine.isUp)
        #expect(machine.failed(unit: 0) == .wait(.milliseconds(50)))
        #expect(machine.failed(unit: 0) == .none)
        #expect(machine.needed() == .none)
    }

    @Test("After the close whatever comes leaves nothing behind")
    func close() {
        var machine = makeMachine()
        #expect(machine.needed() == .connect)
        machine.close()
        #expect(machine.opened() == .discard)
        #expect(machine.failed(unit: 0) == .none)
        #expect(machine.timerFired() == .none)
        #expect(machine.needed() == .none)
        #expect(machine.isClosed)
    }
}

struct RedisSubscriberStateMachineTests {
    private let a = ChannelName("a")
    private let b = ChannelName("b")
    private let lost = RedisError(.connectionLost, "gone")

    private func makeMachine() -> RedisSubscriberStateMachine {
        RedisSubscriberStateMachine(backoff: BackoffPolicy(initial: .milliseconds(100), max: .seconds(1), jitter: 0))
    }

    /// A machine with both channels subscribed.
    private func makeUp() -> RedisSubscriberStateMachine {
        var machine = makeMachine()
        #expect(machine.subscribe([a, b]) == [.connect])
        #expect(machine.opened(now: instant(0)) == [.subscribe([a, b])])
        #expect(machine.confirmed(a, now: instant(1)) == [.report(.subscribed(a))])
        #expect(machine.confirmed(b, now: instant(2)) == [.report(.subscribed(b))])
        return machine
    }

    @Test("It subscribes again after a loss, and says how long it took once all channels are confirmed")
    func resubscribe() {
        var machine = makeUp()
        #expect(
            machine.failed(lost, now: instant(1000), unit: 0)
                == [.report(.down(lost, retryAfter: .milliseconds(100))), .wait(.milliseconds(100))])
        #expect(machine.timerFired() == [.connect])
        let refused = RedisError(.connectFailed, "refused")
        #expect(
            machine.failed(refused, now: instant(1100), unit: 0)
                == [.report(.down(refused, retryAfter: .milliseconds(200))), .wait(.milliseconds(200))])
        #expect(machine.timerFired() == [.connect])
        #expect(machine.opened(now: instant(1300)) == [.subscribe([a, b])])
        #expect(machine.confirmed(a, now: instant(1400)) == [.report(.subscribed(a))])
        #expect(
            machine.confirmed(b, now: instant(1500))
                == [.report(.subscribed(b)), .report(.resubscribed(after: .milliseconds(500)))])
        #expect(machine.confirmed(b, now: instant(1600)).isEmpty)
    }

    @Test("Channels may be added while it is up and while it is down, each once")
    func add() {
        var machine = makeMachine()
        #expect(machine.subscribe([a]) == [.connect])
        #expect(machine.subscribe([a, b]).isEmpty)
        #expect(machine.opened(now: instant(0)) == [.subscribe([a, b])])
        #expect(machine.subscribe([b, ChannelName("c"), ChannelName("c")]) == [.subscribe([ChannelName("c")])])
        #expect(machine.subscribe([a]).isEmpty)
    }

    @Test("A channel given up while it is down is not asked for again, nor waited for")
    func removeWhileDown() {
        var machine = makeUp()
        _ = machine.failed(lost, now: instant(1000), unit: 0)
        #expect(machine.unsubscribe([b], now: instant(1010)) == [.report(.unsubscribed(b))])
        _ = machine.timerFired()
        #expect(machine.opened(now: instant(1100)) == [.subscribe([a])])
        #expect(
            machine.confirmed(a, now: instant(1200))
                == [.report(.subscribed(a)), .report(.resubscribed(after: .milliseconds(200)))])
    }

    @Test("The last channel that is waited for may be given up")
    func removeLastUnconfirmed() {
        var machine = makeUp()
        _ = machine.failed(lost, now: instant(1000), unit: 0)
        _ = machine.timerFired()
        _ = machine.opened(now: instant(1100))
        _ = machine.confirmed(a, now: instant(1200))
        #expect(
            machine.unsubscribe([b], now: instant(1300))
                == [.unsubscribe([b]), .report(.resubscribed(after: .milliseconds(300)))])
        #expect(machine.confirmed(b, now: instant(1400)).isEmpty)
        #expect(machine.removed(b) == [.report(.unsubscribed(b))])
    }

    @Test("Given up and wanted again at once, only the last confirmation counts")
    func flicker() {
        var machine = makeMachine()
        _ = machine.subscribe([b])
        _ = machine.opened(now: instant(0))
        _ = machine.confirmed(b, now: instant(0))
        #expect(machine.subscribe([a]) == [.subscribe([a])])
        #expect(machine.unsubscribe([a], now: instant(1)) == [.unsubscribe([a])])
        #expect(machine.subscribe([a]) == [.subscribe([a])])
        #expect(machine.confirmed(a, now: instant(2)).isEmpty)
        #expect(machine.removed(a).isEmpty)
        #expect(machine.confirmed(a, now: instant(3)) == [.report(.subscribed(a))])
        #expect(machine.wants(a))
    }

    @Test("After the close a connection that opens is closed and nothing else happens")
    func close() {
        var machine = makeMachine()
        _ = machine.subscribe([a])
        #expect(machine.close().isEmpty)
        #expect(machine.opened(now: instant(0)) == [.closeConnection])
        #expect(machine.subscribe([b]).isEmpty)
        #expect(machine.failed(lost, now: instant(1), unit: 0).isEmpty)
        #expect(machine.timerFired().isEmpty)
        var up = makeUp()
        #expect(up.close() == [.closeConnection])
    }
}

struct WaitingCommandsTests {
    @Test("They are bounded, expire by their own deadlines and leave in order")
    func waiting() {
        var waiting = WaitingCommands<String>(maximum: 3)
        #expect(waiting.earliestDeadline == nil)
        #expect(true == waiting.append("a", deadline: instant(30)))
        #expect(true == waiting.append("b", deadline: instant(10)))
        #expect(true == waiting.append("c", deadline: instant(20)))
        #expect(false == waiting.append("d", deadline: instant(20)))
        #expect(waiting.earliestDeadline == instant(10))
        #expect(waiting.takeExpired(now: instant(20)) == ["b", "c"])
        #expect(true == waiting.append("e", deadline: instant(40)))
        #expect(waiting.takeAll().map(\.token) == ["a", "e"])
        #expect(waiting.takeAll().isEmpty)
    }
}

struct RedisHandshakeTests {
    private func bytes(_ url: String, name: String? = nil) throws -> [RedisCommand] {
        RedisHandshake(url: try RedisURL(url), clientName: name).commands
    }

    @Test("It says what the URL asks for, and always ends with a PING")
    func commands() throws {
        #expect(try bytes("redis://h") == [RedisCommand("PING")])
        #expect(
            try bytes("redis://:pw@h/3", name: "me") == [
                RedisCommand("AUTH", "pw"), RedisCommand("SELECT", "3"), RedisCommand("CLIENT", "SETNAME", "me"),
                RedisCommand("PING"),
            ])
        #expect(try bytes("redis://user:pw@h").first == RedisCommand("AUTH", "user", "pw"))
    }

    @Test("A refused name does not matter; a refused login or database does")
    func replies() throws {
        var handshake = RedisHandshake(url: try RedisURL("redis://:secret@h/3"), clientName: "me")
        try handshake.receive(.status("OK"))
        try handshake.receive(.status("OK"))
        try handshake.receive(.error("ERR no names"))
        #expect(!handshake.isDone)
        try handshake.receive(.status("PONG"))
        #expect(handshake.isDone)
        var refused = RedisHandshake(url: try RedisURL("redis://:secret@h"), clientName: nil)
        let error = #expect(throws: RedisError.self) { try refused.receive(.error("WRONGPASS invalid")) }
        #expect(error?.code == .authenticationFailed)
        #expect(error?.description.contains("secret") == false)
    }
}
