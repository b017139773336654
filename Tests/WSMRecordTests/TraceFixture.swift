import Foundation
import WSMCore

@testable import WSMRecord

/// A trace in a file that is gone with it.
final class TraceFixture {
    let path = NSTemporaryDirectory() + "wsmlab-trace-\(UUID().uuidString).zst"

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var bytes: [UInt8] { FileManager.default.contents(atPath: path).map(Array.init) ?? [] }

    func writer(buffers: Int = 256) throws -> TraceWriter {
        var options = TraceWriter.Options()
        options.buffers = buffers
        return try TraceWriter(path: path, document: Array(#"{"name":"test"}"#.utf8), options: options)
    }

    static func finish(_ writer: TraceWriter, document: String? = #"{"done":true}"#) async -> TraceOutcome {
        await withCheckedContinuation { continuation in
            writer.finish(document: document.map { Array($0.utf8) }) { continuation.resume(returning: $0) }
        }
    }
}

/// What was read of a trace up to its end or its first fault.
struct TraceReading {
    var documents: [String] = []
    /// By lane, without definitions: each receipt stands with its message.
    var lanes: [UInt32: [Entry]] = [:]
    var error: TraceError?

    enum Entry: Hashable {
        case receipt(TracedMessage, session: UInt32, at: MonotonicInstant)
        case other(TraceEvent)
    }

    var count: Int { lanes.values.reduce(0) { $0 + $1.count } }

    /// Reads bytes that come in pieces of `piece`.
    init(_ bytes: [UInt8], piece: Int = .max) {
        var decoder = TraceDecoder()
        do throws(TraceError) {
            var at = 0
            while at < bytes.count {
                let end = min(bytes.count, at + min(piece, bytes.count))
                bytes.withUnsafeBytes { decoder.feed(UnsafeRawBufferPointer(rebasing: $0[at..<end])) }
                at = end
                while let chunk = try decoder.next() { try take(chunk) }
            }
            try decoder.finish()
        } catch {
            self.error = error
        }
    }

    private mutating func take(_ chunk: TraceChunk) throws(TraceError) {
        if let document = chunk.document { documents.append(String(decoding: document, as: UTF8.self)) }
        var defined: [UInt16: TracedMessage] = [:]
        var entries: [Entry] = []
        defer { lanes[chunk.lane, default: []] += entries }
        try chunk.forEachEvent { (event) throws(TraceError) in
            switch event {
            case .defined(let slot, let message): defined[slot] = message
            case .received(let slot, let session, let at):
                guard let message = defined[slot] else { throw chunk.impossible("not defined") }
                entries.append(.receipt(message, session: session, at: at))
            default: entries.append(.other(event))
            }
        }
    }
}

/// Draws events from a seed and records them in a lane: what comes back must be what went in.
struct TraceDraws {
    var random: CounterRNG
    var now: Int64 = 5_000_000_000
    var entries: [TraceReading.Entry] = []

    init(seed: UInt64) {
        random = CounterRNG(seed: seed, stream: .payload, entity: 77)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { random.next() % bound }

    mutating func instant() -> MonotonicInstant {
        // Now and then far ahead, and sometimes back.
        switch below(40) {
        case 0: now += Int64(below(4_000_000_000))
        case 1: now -= Int64(below(1_000_000))
        default: now += Int64(below(20_000))
        }
        return MonotonicInstant(nanoseconds: now)
    }

    mutating func message() -> TracedMessage {
        var stamp = ProbeStamp(
            kind: below(8) == 0 ? .fence : .load, run: UInt32(below(2)), channel: UInt8(below(2)),
            publisher: PublisherID(UInt32(below(3))), sequence: below(2) == 0 ? below(6) : below(1 << 40),
            process: below(2) == 0 ? ProbeStamp.noProcess : UInt32(below(9)), step: UInt16(below(4)),
            intended: MonotonicInstant(nanoseconds: Int64(below(9))))
        stamp.sent = MonotonicInstant(nanoseconds: below(20) == 0 ? Int64.min : Int64(below(9)))
        stamp.published = MonotonicInstant(nanoseconds: below(20) == 0 ? Int64.max : Int64(below(9)))
        return TracedMessage(stamp: stamp, intact: below(10) != 0)
    }

    mutating func record(_ count: Int, in lane: TraceLane) {
        for _ in 0..<count { recordOne(in: lane) }
    }

    private mutating func recordOne(in lane: TraceLane) {
        let session = below(30) == 0 ? UInt32(below(1 << 32)) : UInt32(below(5))
        switch below(24) {
        case 0:
            let opened = OpenedSession(
                session: session, client: UInt32(below(9)), instance: UInt16(below(3)), slowReader: below(2) == 0,
                attemptedAt: instant(), openedAt: instant())
            lane.opened(opened)
            entries.append(.other(.opened(opened)))
        case 1:
            let ends: [SessionEnd] = [
                .runEnded, .churned, .closedByServer(code: 1001), .dropped, .protocolError("größer als 64 KiB"),
            ]
            let (end, at) = (ends[Int(below(5))], instant())
            lane.closed(session: Int(session), end: end, at: at)
            entries.append(.other(.closed(session: session, end: end, at: at)))
        case 2:
            let at = instant()
            lane.connectFailed(client: session, instance: 2, at: at)
            entries.append(.other(.connectFailed(client: session, instance: 2, at: at)))
        case 3:
            let text = [UInt8](repeating: UInt8(ascii: "x"), count: Int(below(1500)))
            let at = instant()
            text.withUnsafeBytes { lane.received(session: Int(session), .foreign, message: $0, at: at) }
            entries.append(
                .other(
                    .foreign(
                        ForeignReceipt(
                            session: session, at: at, length: UInt32(text.count), bytes: Array(text.prefix(1024))))))
        case 6:
            let (at, stalls) = (instant(), below(2) == 0)
            if stalls {
                lane.stalled(session: Int(session), at: at)
            } else {
                lane.resumed(session: Int(session), at: at)
            }
            entries.append(.other(stalls ? .stalled(session: session, at: at) : .resumed(session: session, at: at)))
        case 4:
            let at = instant()
            lane.measuring(from: at)
            entries.append(.other(.measuring(from: at)))
        case 5:
            let marks: [FaultMark] = [
                .expected, .began(fault: UInt16(below(3)), at: instant()),
                .healed(fault: .max, at: instant()),
            ]
            let mark = marks[Int(below(3))]
            lane.fault(mark)
            entries.append(.other(.fault(mark)))
        default:
            let (drawn, at) = (message(), instant())
            lane.received(
                session: Int(session), .stamped(drawn.stamp, intact: drawn.intact),
                message: .init(start: nil, count: 0),
                at: at)
            entries.append(.receipt(drawn, session: session, at: at))
        }
    }
}
