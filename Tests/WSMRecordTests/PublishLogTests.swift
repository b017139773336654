import Testing
import WSMCore

@testable import WSMRecord

@Suite("The log of a publisher")
struct PublishLogTests {
    private func instant(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    @Test("It numbers messages by channel from zero and keeps what became of them")
    func numbers() {
        let log = PublishLog(publisher: PublisherID(3), instance: 1)
        #expect(log.submit(channel: 0, intended: instant(1), sent: instant(2), process: 9, step: 4) == 0)
        #expect(log.submit(channel: 0, intended: instant(3), sent: instant(4)) == 1)
        #expect(log.submit(channel: 2, intended: instant(5), sent: instant(6)) == 0)
        log.published(channel: 0, sequence: 0, at: instant(10))
        log.acknowledged(channel: 0, sequence: 0, at: instant(11))
        log.failed(channel: 0, sequence: 1, outcome: .queueDropped, at: instant(12))
        let snapshot = log.snapshot()
        let history = snapshot.history(of: 0)
        #expect(snapshot.instance == 1)
        #expect(history?.submitted == [2, 4])
        #expect(history?.intended == [1, 3])
        #expect(history?.published == [10, 0])
        #expect(history?.settled == [11, 12])
        #expect(history?.process == [9, ProbeStamp.noProcess])
        #expect(history?.step == [4, 0])
        #expect(history?.outcome(of: 0) == .published)
        #expect(history?.outcome(of: 1) == .queueDropped)
        #expect(snapshot.history(of: 2)?.outcome(of: 0) == .pending)
        #expect(snapshot.history(of: 1) == nil)
        #expect(log.submittedCount(channel: 0) == 2)
    }

    @Test("A retry keeps the first instant of publishing, and a reply may be noted before the publish")
    func retry() {
        let log = PublishLog(publisher: PublisherID(0), instance: 0)
        for _ in 0..<2 { _ = log.submit(channel: 0, intended: instant(1), sent: instant(1)) }
        log.published(channel: 0, sequence: 0, at: instant(10))
        log.failed(channel: 0, sequence: 0, outcome: .maybePublished, at: instant(15))
        log.published(channel: 0, sequence: 0, at: instant(20))
        #expect(log.snapshot().history(of: 0)?.settled[0] == 0)
        log.acknowledged(channel: 0, sequence: 1, at: instant(21))
        log.published(channel: 0, sequence: 1, at: instant(20))
        let history = log.snapshot().history(of: 0)
        #expect(history?.published == [10, 20])
        #expect(history?.settled == [0, 21])
    }
}
