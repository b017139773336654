import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("A message for a crowd of sessions")
struct CrowdTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)
    private static let step: Int64 = 6000

    private static func stamp(
        _ sequence: UInt64, at: Int64, kind: ProbeStamp.Kind = .load, process: UInt32 = ProbeStamp.noProcess
    ) -> ProbeStamp {
        let instant = start + TimeSpan(nanoseconds: at)
        var stamp = ProbeStamp(
            kind: kind, run: 7, publisher: PublisherID(kind == .fence ? 1 : 0), sequence: sequence, process: process,
            step: UInt16(sequence), intended: instant)
        stamp.sent = instant + .microseconds(3)
        stamp.published = instant + .microseconds(8)
        return stamp
    }

    /// In order, one left out that comes later, one twice, a fence, updates of a process, one before the measured window.
    private static let stamps: [ProbeStamp] = [
        stamp(0, at: -5_000_000), stamp(1, at: 0), stamp(3, at: 20_000_000), stamp(2, at: 10_000_000),
        stamp(4, at: 30_000_000), stamp(4, at: 30_000_000), stamp(0, at: 35_000_000, kind: .fence),
        stamp(5, at: 40_000_000, process: 2), stamp(6, at: 50_000_000, process: 2), stamp(7, at: 3_000_000_000),
    ]

    /// Forty clients of two instances; some are slow, closed, stalled for a while, or miss a message.
    private func record(
        _ receive: (DeliveryObserver, [StampedReceipt], ProbeStamp) -> Void
    ) -> LoopRecord {
        let bounds = LagBounds(isolation: .milliseconds(500), lag: .seconds(1))
        let observer = DeliveryObserver(run: 7, publisherCount: 2, channel: 0, bounds: bounds)
        let sessions = (0..<40).map { client in
            observer.sessionOpened(
                client: UInt32(client), instance: UInt16(client / 20), slowReader: client == 5,
                attemptedAt: Self.start, openedAt: Self.start)
        }
        observer.startMeasuring(
            at: Self.start, timeline: Timeline.Plan(from: Self.start, width: .milliseconds(100), groups: 2))
        observer.tell(.expected)
        observer.sessionClosed(session: sessions[9], end: .dropped, at: Self.start)
        for (number, stamp) in Self.stamps.enumerated() {
            if number == 2 { observer.tell(.began(fault: 0, at: stamp.sent)) }
            if number == 4 { observer.tell(.healed(fault: 0, at: stamp.sent)) }
            if number == 3 { observer.sessionStalled(session: sessions[12], at: stamp.sent) }
            if number == 6 { observer.sessionResumed(session: sessions[12], at: stamp.sent) }
            var receipts: [StampedReceipt] = []
            for session in sessions where !(session == 30 && number == 4) {
                // The last message is late for most.
                let delay = Int64(session) * (number == 9 ? 40_000_000 : Self.step) + 20_000
                receipts.append(
                    StampedReceipt(session: Int32(session), at: stamp.sent + TimeSpan(nanoseconds: delay)))
            }
            receive(observer, Array(receipts[..<20]), stamp)
            receive(observer, Array(receipts[20...]), stamp)
        }
        return observer.snapshot()
    }

    @Test("Taken in at once, it leaves the same record as one receipt after the other")
    func same() {
        let single = record { observer, receipts, stamp in
            for receipt in receipts { [receipt].withUnsafeBufferPointer { observer.received($0, of: stamp) } }
        }
        let crowd = record { observer, receipts, stamp in
            receipts.withUnsafeBufferPointer { observer.received($0, of: stamp) }
        }
        #expect(single.received > 300)
        #expect(single.sightings.count(.duplicate) > 0 && single.sightings.count(.afterClose) > 0)
        #expect(crowd.received == single.received && crowd.fences == single.fences)
        #expect(crowd.stepsChecked == single.stepsChecked && crowd.stepsUnchecked == single.stepsUnchecked)
        #expect(crowd.stages.latency.summary == single.stages.latency.summary)
        #expect(crowd.stages.latencyFromActualSend.summary == single.stages.latencyFromActualSend.summary)
        #expect(crowd.stages.slowReaderLatency.summary == single.stages.slowReaderLatency.summary)
        #expect(crowd.latencies[0]?.summary == single.latencies[0]?.summary)
        #expect(crowd.latencies[1]?.summary == single.latencies[1]?.summary)
        #expect(crowd.skew.skew().summary == single.skew.skew().summary)
        #expect("\(crowd.lags)" == "\(single.lags)")
        #expect("\(crowd.timeline as Any)" == "\(single.timeline as Any)")
        #expect("\(crowd.sightings)" == "\(single.sightings)")
        #expect("\(crowd.sessions)" == "\(single.sessions)")
        let heard = [crowd, single].map { "\($0.listening?.ears ?? []) \($0.listening?.faults[0] as Any)" }
        #expect(heard[0] == heard[1])
    }
}
