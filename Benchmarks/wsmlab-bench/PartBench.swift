import NIOCore
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord
import WSMRedis

/// The parts that a message passes, each by itself.
struct PartBench {
    private static let payloadBytes = 256
    private let events: Int
    private let payload: [UInt8]

    init(events: Int) {
        self.events = events
        let text = #"{"name":"bench","value":"\#(String(repeating: "v", count: 500))"}"#
        payload = Array(text.utf8.prefix(Self.payloadBytes - 2)) + Array("\"}".utf8)
    }

    func run() {
        print("Parts, payload of \(Self.payloadBytes) bytes, \(events) times each")
        print("")
        Table.line("text frame: encode", encodeFrame())
        Table.line("text frame: walk, sixteen a read", walkFrames())
        Table.line("probe stamp: append", appendStamp())
        Table.line("histogram: record", recordSpan())
        Table.line("broadcast queue: put and take, 256 at once", queue())
        Table.line("Redis: encode a command", encodeCommand())
        Table.line("Redis: decode a message, sixteen a read", decodeMessages())
    }

    private func encodeFrame() -> Cost {
        let message = ByteBuffer(bytes: payload)
        var frames = ByteBuffer()
        return Cost.of(events) {
            for _ in 0..<events {
                frames.clear()
                TextFrame.append(message, to: &frames)
            }
            precondition(frames.readableBytes == Self.payloadBytes + 4, "a frame has a header of four bytes")
            return nil
        }
    }

    private func walkFrames() -> Cost {
        var frames = ByteBuffer()
        for _ in 0..<16 { TextFrame.append(ByteBuffer(bytes: payload), to: &frames) }
        var walker = FrameWalker()
        var seen = 0
        return Cost.of(events) {
            frames.withUnsafeReadableBytes { bytes in
                for _ in 0..<(events / 16) { walker.walk(bytes) { if case .text = $0 { seen += 1 } } }
            }
            precondition(seen == events / 16 * 16, "each frame is a message")
            return nil
        }
    }

    private func appendStamp() -> Cost {
        let stamp = ProbeStamp(
            run: 1, publisher: PublisherID(1), sequence: 7, intended: MonotonicInstant(nanoseconds: 1_000_000_000))
        var length = 0
        return Cost.of(events) {
            for _ in 0..<events { length &+= stamp.appended(to: payload).count }
            precondition(length > 0, "a stamped message has bytes")
            return nil
        }
    }

    private func recordSpan() -> Cost {
        var histogram = LatencyHistogram()
        return Cost.of(events) {
            for index in 0..<events { histogram.record(TimeSpan(nanoseconds: Int64(index & 0xFFFFF))) }
            precondition(histogram.count == Int64(events), "each span is recorded")
            return nil
        }
    }

    private func queue() -> Cost {
        var queue = BroadcastQueue<Int>(limit: 1024)
        var batch: [Int] = []
        return Cost.of(events) {
            for _ in 0..<(events / 256) {
                for index in 0..<256 { _ = queue.put(index) }
                batch.removeAll(keepingCapacity: true)
                queue.take(upTo: 256, into: &batch)
            }
            return nil
        }
    }

    private func encodeCommand() -> Cost {
        var output = ByteBuffer()
        return Cost.of(events) {
            for _ in 0..<events {
                output.clear()
                do {
                    try RedisCommand.publish(payload, to: .events).encode(into: &output)
                } catch {
                    preconditionFailure("\(error)")
                }
            }
            return nil
        }
    }

    private func decodeMessages() -> Cost {
        var reply = ByteBuffer()
        for _ in 0..<16 {
            reply.writeString("*3\r\n$7\r\nmessage\r\n$6\r\nevents\r\n$\(payload.count)\r\n")
            reply.writeBytes(payload)
            reply.writeString("\r\n")
        }
        let decoder = RedisReplyDecoder()
        var seen = 0
        return Cost.of(events) {
            for _ in 0..<(events / 16) {
                do {
                    try decoder.decode(reply) { _ in seen += 1 }
                } catch {
                    preconditionFailure("\(error)")
                }
            }
            precondition(seen == events / 16 * 16, "each reply is decoded")
            return nil
        }
    }
}
