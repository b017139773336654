import WSMCore
import WSMRecord
import WSMVerify

/// The load of the stream layer, the same in every trial: four publishers on two instances, who publish in pairs.
///
/// A message is published every ten microseconds and is received 30 µs later. The two of a pair are neighbours of one
/// publisher, published one before the other's acknowledgement; between pairs, the acknowledgement comes first, but for
/// every fourth pair, whose last message overlaps the next publisher's. So any kind of order can be broken alone.
struct StreamLoad: Sendable {
    struct Message: Sendable {
        var stamp: ProbeStamp
        var bytes: [UInt8]
        /// In microseconds from the origin.
        var publishedAt: Int64
    }

    static let run: UInt32 = 0x7157_ab1e
    static let count = 1024
    /// Messages from before any session.
    static let oldCount = 16
    static let publishers = 4
    static let shared = StreamLoad()

    /// The messages that each session is to get.
    let messages: [Message]
    /// Published and acknowledged before any session begins: four of each publisher.
    let old: [Message]
    let startFence: Message
    let endFence: Message
    let history: [PublisherHistory]

    /// When all sessions are over.
    static let endOfRun = at(shared.endFence.publishedAt + 1000)

    static func at(_ microseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000 + microseconds * 1000)
    }

    private init() {
        let logs = (0...Self.publishers).map {
            PublishLog(
                publisher: PublisherID(UInt32($0)), instance: UInt16($0 / 2 % 2), isFence: $0 == Self.publishers)
        }
        let place = { (index: Int) in index / 2 % Self.publishers }
        old = (0..<Self.oldCount).map { Self.publish(logs[place($0)], at: -500 + Int64($0) * 10, acknowledged: 5) }
        startFence = Self.publish(logs[Self.publishers], at: 500, acknowledged: 5)
        messages = (0..<Self.count).map { index in
            let overlaps = index % 2 == 0 || index % 8 == 7
            return Self.publish(
                logs[place(index)], at: 1000 + Int64(index) * 10, acknowledged: overlaps ? 15 : 5)
        }
        endFence = Self.publish(logs[Self.publishers], at: 2000 + Int64(Self.count) * 10, acknowledged: 5)
        history = logs.map { $0.snapshot() }
    }

    /// Eight messages in a row of one publisher are the steps of one process.
    private static func publish(_ log: PublishLog, at: Int64, acknowledged: Int64) -> Message {
        let number = log.submittedCount(channel: 0)
        let process = UInt32(number / 8) * 8 + log.publisher.rawValue
        let step = UInt16(number % 8)
        let sequence = log.submit(
            channel: 0, intended: Self.at(at - 3), sent: Self.at(at - 2), process: process, step: step)
        log.published(channel: 0, sequence: sequence, at: Self.at(at))
        log.acknowledged(channel: 0, sequence: sequence, at: Self.at(at + acknowledged))
        var stamp = ProbeStamp(
            kind: log.isFence ? .fence : .load, run: run, publisher: log.publisher, sequence: sequence,
            process: process, step: step, intended: Self.at(at - 3))
        stamp.sent = Self.at(at - 2)
        stamp.published = Self.at(at)
        return Message(stamp: stamp, bytes: Self.bytes(stamp), publishedAt: at)
    }

    static func bytes(_ stamp: ProbeStamp) -> [UInt8] { stamp.appended(to: #"{"name":"invalidateCache"}"#.utf8) }
}
