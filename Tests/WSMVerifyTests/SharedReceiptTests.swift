import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("Messages that many sessions share")
struct SharedReceiptTests {
    private static let run: UInt32 = 77

    /// Messages in order, out of order, twice, damaged, of another run, foreign, and a fence.
    private static var messages: [[UInt8]] {
        func message(_ sequence: UInt64, run: UInt32 = run, kind: ProbeStamp.Kind = .load) -> [UInt8] {
            var stamp = ProbeStamp(
                kind: kind, run: run, publisher: PublisherID(kind == .fence ? 1 : 0), sequence: sequence,
                process: 3, step: UInt16(sequence), intended: MonotonicInstant(nanoseconds: 1000 + Int64(sequence)))
            stamp.published = stamp.intended
            return stamp.appended(to: Array(#"{"n":1}"#.utf8))
        }
        var damaged = message(9)
        damaged[5] ^= 1
        return [
            message(0), message(1), message(4), message(2), message(4), damaged, message(0, run: 5),
            Array("hello".utf8),
            message(0, kind: .fence), message(5),
        ]
    }

    private func record(_ receive: (DeliveryObserver, [Int], UnsafeRawBufferPointer, MonotonicInstant) -> Void)
        -> LoopRecord
    {
        let observer = DeliveryObserver(
            run: Self.run, publisherCount: 2, channel: 0, measuredFrom: MonotonicInstant(nanoseconds: 1001))
        let start = MonotonicInstant(nanoseconds: 1)
        let sessions = (0..<5).map {
            observer.sessionOpened(
                client: $0, instance: UInt16($0 % 2), slowReader: $0 == 4, attemptedAt: start, openedAt: start)
        }
        observer.sessionClosed(session: sessions[1], end: .dropped, at: MonotonicInstant(nanoseconds: 1500))
        for (number, message) in Self.messages.enumerated() {
            message.withUnsafeBytes {
                receive(observer, sessions, $0, MonotonicInstant(nanoseconds: 2000 + Int64(number)))
            }
        }
        return observer.snapshot()
    }

    @Test("Handed over once for all, they leave the same record as one by one")
    func same() {
        let single = record { observer, sessions, message, at in
            for session in sessions { observer.received(session: session, message: message, at: at) }
        }
        let shared = record { observer, sessions, message, at in
            sessions.withUnsafeBufferPointer { observer.received(sessions: $0, message: message, at: at) }
        }
        #expect(single.received == 4 * 5 && single.fences == 4 && single.foreign == 2 * 5)
        #expect(shared.received == single.received && shared.fences == single.fences)
        #expect(shared.foreign == single.foreign && shared.measuredForeign == single.measuredForeign)
        #expect(shared.stepsChecked == single.stepsChecked && shared.stepsUnchecked == single.stepsUnchecked)
        #expect(shared.stages.latency.summary == single.stages.latency.summary)
        #expect(shared.stages.slowReaderLatency.summary == single.stages.slowReaderLatency.summary)
        #expect(shared.skew.skew().summary == single.skew.skew().summary)
        #expect("\(shared.sightings)" == "\(single.sightings)")
        #expect("\(shared.sessions)" == "\(single.sessions)")
    }
}
