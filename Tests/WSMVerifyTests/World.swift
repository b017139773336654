import WSMCore
import WSMRecord

@testable import WSMVerify

/// A synthetic run: publishers, sessions and deliveries are made by hand, at instants of the test's choosing.
final class World {
    static let run: UInt32 = 0x7157_ab1e
    /// Instants of a test count microseconds from here.
    static let origin: Int64 = 1_000_000_000

    let logs: [PublishLog]
    let observers: [DeliveryObserver]
    var context: SettlementContext
    private(set) var sessions: [(loop: Int, handle: Int)] = []
    let fencePublisher: Int

    struct Message {
        var stamp: ProbeStamp
        var bytes: [UInt8]
    }

    /// One publisher for each of `publisherInstances`, and a fence publisher of instance 0 after them.
    init(
        publisherInstances: [UInt16] = [0], loops: Int = 1, measuredFrom: Int64 = 0,
        manager: ManagerKind = .broadcast, bounds: LagBounds = LagBounds()
    ) {
        fencePublisher = publisherInstances.count
        logs =
            publisherInstances.enumerated().map { PublishLog(publisher: PublisherID(UInt32($0)), instance: $1) }
            + [PublishLog(publisher: PublisherID(UInt32(publisherInstances.count)), instance: 0, isFence: true)]
        let start = World.at(measuredFrom)
        observers = (0..<loops).map { _ in
            DeliveryObserver(
                run: World.run, publisherCount: publisherInstances.count + 1, channel: 0, measuredFrom: start,
                bounds: bounds)
        }
        context = SettlementContext(manager: manager, runStart: World.at(0), measuredFrom: start)
        context.bounds = bounds
    }

    static func at(_ microseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: origin + microseconds * 1000)
    }

    /// Submits, publishes at `at` and acknowledges 5 µs later unless told otherwise.
    func publish(
        _ publisher: Int = 0, at: Int64, acknowledged: Int64? = nil, outcome: PublishOutcome = .published,
        process: UInt32 = ProbeStamp.noProcess, step: UInt16 = 0, isFence: Bool = false
    ) -> Message {
        let log = logs[publisher]
        let sent = World.at(at - 2)
        let sequence = log.submit(channel: 0, intended: World.at(at - 3), sent: sent, process: process, step: step)
        if outcome == .published || outcome == .maybePublished {
            log.published(channel: 0, sequence: sequence, at: World.at(at))
        }
        if outcome == .published {
            if acknowledged != -1 {
                log.acknowledged(channel: 0, sequence: sequence, at: World.at(acknowledged ?? at + 5))
            }
        } else if outcome != .pending {
            log.failed(channel: 0, sequence: sequence, outcome: outcome, at: World.at(acknowledged ?? at + 5))
        }
        var stamp = ProbeStamp(
            kind: isFence ? .fence : .load, run: World.run, publisher: log.publisher, sequence: sequence,
            process: process, step: step, intended: World.at(at - 3))
        stamp.sent = sent
        stamp.published = World.at(at)
        return World.message(stamp)
    }

    static func message(_ stamp: ProbeStamp) -> Message {
        Message(stamp: stamp, bytes: stamp.appended(to: #"{"name":"invalidateCache"}"#.utf8))
    }

    func fence(at: Int64) -> Message { publish(fencePublisher, at: at, isFence: true) }

    func open(client: UInt32, instance: UInt16 = 0, loop: Int = 0, slow: Bool = false, at: Int64) -> Int {
        let handle = observers[loop].sessionOpened(
            client: client, instance: instance, slowReader: slow, attemptedAt: World.at(at),
            openedAt: World.at(at + 1))
        sessions.append((loop, handle))
        return sessions.count - 1
    }

    func deliver(_ message: Message, to session: Int, at: Int64) {
        deliver(message.bytes, to: session, at: at)
    }

    func deliver(_ bytes: [UInt8], to session: Int, at: Int64) {
        bytes.withUnsafeBytes {
            observers[sessions[session].loop].received(
                session: sessions[session].handle, message: $0, at: World.at(at))
        }
    }

    func close(_ session: Int, _ end: SessionEnd = .runEnded, at: Int64) {
        observers[sessions[session].loop].sessionClosed(session: sessions[session].handle, end: end, at: World.at(at))
    }

    func settle() throws -> Settlement {
        try WSMVerify.settle(
            loops: observers.map { $0.snapshot() }, history: logs.map { $0.snapshot() }, context: context)
    }
}

extension Settlement {
    func verdict(_ id: GuaranteeID) -> Verdict? { outcome(id)?.verdict }
    func violations(_ id: GuaranteeID) -> Int64 { outcome(id)?.violations ?? -1 }
}
