import Testing
import WSMCore
import WSMManagers

@Suite("Publishing: broadcast_data and the ProcessDataBroadcastThread")
struct PublishingTests {
    let start = MonotonicInstant(nanoseconds: 0)

    @Test("The reference makes a connection for each broadcast and closes it after")
    func connectionPerBroadcast() {
        var publisher = BroadcastPublisher(policy: .perBroadcast, seed: 1, entity: 0)
        for _ in 0..<2 {
            #expect(publisher.handle(.publish, now: start) == .connect)
            #expect(publisher.handle(.connected, now: start) == .execute)
            #expect(
                publisher.handle(.acknowledged, now: start)
                    == .done(.init(result: .published, closesConnection: true)))
        }
    }

    @Test("The hardened profile keeps its connection")
    func persistentConnection() {
        var publisher = BroadcastPublisher(policy: .persistent, seed: 1, entity: 0)
        #expect(publisher.handle(.publish, now: start) == .connect)
        #expect(publisher.handle(.connected, now: start) == .execute)
        #expect(
            publisher.handle(.acknowledged, now: start) == .done(.init(result: .published, closesConnection: false)))
        #expect(publisher.handle(.publish, now: start) == .execute)
    }

    @Test("The reference sends a broadcast again whose reply was lost: it may be published twice (a retried EXEC)")
    func riskyRetry() throws {
        var publisher = BroadcastPublisher(policy: .perBroadcast, seed: 1, entity: 0)
        _ = publisher.handle(.publish, now: start)
        _ = publisher.handle(.connected, now: start)
        guard case .wait(let delay) = publisher.handle(.failed(maybePublished: true), now: start) else {
            Issue.record("the reference waits and tries again")
            return
        }
        #expect((TimeSpan.milliseconds(50)...TimeSpan.milliseconds(100)).contains(delay))
        #expect(publisher.handle(.waited, now: start) == .connect)
        #expect(publisher.riskyRetries == 1)
    }

    @Test("The reference gives up after two more tries")
    func referenceGivesUp() {
        var publisher = BroadcastPublisher(policy: .perBroadcast, seed: 1, entity: 0)
        #expect(publisher.handle(.publish, now: start) == .connect)
        for _ in 0..<2 {
            guard case .wait = publisher.handle(.connectFailed, now: start) else {
                Issue.record("a failed connect is tried again")
                return
            }
            #expect(publisher.handle(.waited, now: start) == .connect)
        }
        #expect(
            publisher.handle(.connectFailed, now: start) == .done(.init(result: .failed, closesConnection: true)))
    }

    @Test("The hardened profile never sends again what may be published")
    func noRiskyRetry() {
        var publisher = BroadcastPublisher(policy: .persistent, seed: 1, entity: 0)
        _ = publisher.handle(.publish, now: start)
        _ = publisher.handle(.connected, now: start)
        #expect(
            publisher.handle(.failed(maybePublished: true), now: start)
                == .done(.init(result: .maybePublished, closesConnection: true)))
        #expect(publisher.riskyRetries == 0)
    }

    @Test("The hardened profile tries on until two seconds have passed")
    func persistentGivesUp() {
        var publisher = BroadcastPublisher(policy: .persistent, seed: 1, entity: 0)
        var now = start
        #expect(publisher.handle(.publish, now: now) == .connect)
        var tries = 1
        while case .wait(let delay) = publisher.handle(.connectFailed, now: now) {
            now = now + delay
            #expect(publisher.handle(.waited, now: now) == .connect)
            tries += 1
        }
        #expect(tries > 8)
        #expect(now - start >= BroadcastPublisher.giveUpAfter)
        #expect(now - start < BroadcastPublisher.giveUpAfter + .milliseconds(300))
    }

    @Test("The queue gives back what was put, in order, and refuses what is over its bound")
    func queue() {
        var queue = BroadcastQueue<Int>(limit: 3)
        var taken: [Bool] = []
        for element in 1...4 { taken.append(queue.put(element)) }
        #expect(taken == [true, true, true, false])
        var batch: [Int] = []
        queue.take(upTo: 2, into: &batch)
        #expect(batch == [1, 2])
        let isTaken = queue.put(5)
        #expect(isTaken)
        queue.take(upTo: .max, into: &batch)
        #expect(batch == [1, 2, 3, 5])
        #expect(queue.isEmpty)
    }

    @Test("An exception ends the reference's thread for good (process_broadcast_thread.py, run)")
    func threadDies() {
        var thread = BroadcastThreadMachine(onError: .exit, queue: ManagerPolicies.reference.queue)
        #expect(thread.next(waiting: 1, now: start) == .take(upTo: 1))
        thread.began()
        thread.finished(failed: true)
        #expect(thread.end == .died)
        #expect(thread.next(waiting: 5, now: start) == .exit(.died))
    }

    @Test("The hardened thread goes on after a failure")
    func threadContinues() {
        var thread = BroadcastThreadMachine(onError: .continue, queue: ManagerPolicies.hardened.queue)
        _ = thread.next(waiting: 1, now: start)
        thread.began()
        thread.finished(failed: true)
        #expect(thread.end == nil)
        #expect(thread.next(waiting: 0, now: start) == .take(upTo: 256))
    }

    @Test("stop() of the reference leaves what waits; the hardened one drains it first")
    func stop() {
        var reference = BroadcastThreadMachine(onError: .exit, queue: ManagerPolicies.reference.queue)
        reference.stop(now: start)
        #expect(reference.next(waiting: 3, now: start) == .exit(.stopped(left: 3)))
        var hardened = BroadcastThreadMachine(onError: .continue, queue: ManagerPolicies.hardened.queue)
        hardened.stop(now: start)
        #expect(hardened.next(waiting: 3, now: start) == .take(upTo: 256))
        hardened.began()
        hardened.finished(failed: false)
        #expect(hardened.next(waiting: 0, now: start) == .exit(.stopped(left: 0)))
    }

    @Test("A drain ends at its deadline")
    func drainDeadline() {
        var thread = BroadcastThreadMachine(onError: .continue, queue: ManagerPolicies.hardened.queue)
        thread.stop(now: start)
        let late = start + BroadcastThreadMachine.stopTimeout
        #expect(thread.next(waiting: 3, now: late) == .exit(.stopped(left: 3)))
    }

    @Test(
        "The slow-client gate acts at its limit",
        arguments: [
            (SlowClient(policy: .drop, limit: 100), 99, SlowClientGate.Decision.send),
            (SlowClient(policy: .drop, limit: 100), 100, .drop),
            (SlowClient(policy: .disconnect, limit: 100), 100, .disconnect),
            (SlowClient(policy: .buffer, limit: 100), 1_000_000, .send),
            (SlowClient(policy: .buffer, limit: 100), SlowClient.bufferCeiling, .disconnect),
        ])
    func slowClients(policy: SlowClient, waiting: Int, decision: SlowClientGate.Decision) {
        #expect(SlowClientGate(policy).decide(waiting: waiting) == decision)
    }
}
