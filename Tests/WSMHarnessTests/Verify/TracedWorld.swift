import Foundation
import WSMCore
import WSMRecord
import WSMVerify

@testable import WSMHarness

/// A made-up run that is observed live and traced: publishers, sessions and deliveries drawn from a seed, with everything
/// that can go wrong on the way of a message.
final class TracedWorld {
    static let run: UInt32 = 77
    static let loops = 2
    static let publishers = 3

    let folder = NSTemporaryDirectory() + "wsmlab-verify-\(UUID().uuidString)"
    let seed: UInt64
    private let writer: TraceWriter
    private let logs: [PublishLog]
    private let observers: [DeliveryObserver]
    private let context: SettlementContext
    private var random: CounterRNG
    private var now: Int64 = 1_000_000_000
    private var open: [(loop: Int, session: Int)] = []
    private var clients: UInt32 = 0
    private var sent: [[UInt8]] = []

    init(seed: UInt64, buffers: Int = 256) throws {
        self.seed = seed
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        random = CounterRNG(seed: seed, stream: .payload, entity: 9)
        let bounds = LagBounds(isolation: .microseconds(20), lag: .microseconds(30))
        let document = TraceRun(
            name: "made-up", seed: seed, startedAt: "2026-01-01T00:00:00Z", version: "0", run: Self.run,
            channels: ["events"], listened: 0, bounds: bounds,
            publishers: (0...Self.publishers).map { .init(instance: UInt16($0 % 2), isFence: $0 == Self.publishers) })
        var options = TraceWriter.Options()
        options.buffers = buffers
        writer = try TraceWriter(
            path: "\(folder)/trace.zst", document: try TraceDocument.bytes(document), options: options)
        let lane = writer.publisherLane()
        logs = document.publishers.enumerated().map {
            PublishLog(
                publisher: PublisherID(UInt32($0)), instance: $1.instance, isFence: $1.isFence, trace: lane)
        }
        let writer = self.writer
        observers = (0..<Self.loops).map {
            DeliveryObserver(
                run: Self.run, publisherCount: Self.publishers + 1, channel: 0, bounds: bounds,
                trace: writer.clientLane(index: $0))
        }
        var context = SettlementContext(
            manager: .broadcast, runStart: .init(nanoseconds: now), measuredFrom: .init(nanoseconds: now + 2_000_000))
        context.evictions = [.init(client: 1, instance: 1, at: .init(nanoseconds: now + 5_000_000))]
        context.brokerOutages = [
            .init(instance: 0, from: .init(nanoseconds: now + 3_000_000), until: .init(nanoseconds: now + 4_000_000)),
            .init(instance: nil, from: .init(nanoseconds: now + 6_000_000), until: nil),
        ]
        context.bounds = bounds
        context.endOfLoad = .init(
            fencedFrom: .init(nanoseconds: now + 900_000_000), waitedUntil: .init(nanoseconds: now + 950_000_000))
        context.recovery = .init(healedAt: .init(nanoseconds: now + 4_000_000), bound: .milliseconds(1))
        context.shutdown = .init(
            at: .init(nanoseconds: now + 960_000_000), leftovers: [.init(instance: 0, clients: 1, queued: 2)],
            subscriptions: 1, repeatedCloses: 2)
        context.threadDeaths = [.init(instance: 1, at: .init(nanoseconds: now + 8_000_000))]
        self.context = context
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func instant() -> MonotonicInstant {
        now += Int64(random.below(3000))
        return MonotonicInstant(nanoseconds: now)
    }

    private func chance(_ percent: Int) -> Bool { random.below(100) < percent }

    // MARK: - What happens

    func play(_ turns: Int) {
        for _ in 0..<6 { connect() }
        for observer in observers { observer.startMeasuring(at: context.measuredFrom) }
        for turn in 0..<turns {
            if turn % 50 == 0 { publish(Self.publishers) }
            if chance(2) { connect() }
            if chance(2), !open.isEmpty { close() }
            if chance(2) { stallOrResume() }
            publish(random.below(Self.publishers))
        }
        while !open.isEmpty { close(end: .runEnded) }
    }

    private func connect() {
        let loop = random.below(Self.loops)
        let at = instant()
        // Every second client is one that was there before.
        let client = clients > 3 && chance(50) ? UInt32(random.below(Int(clients))) : clients
        clients = max(clients, client + 1)
        if chance(20) {
            return observers[loop].connectFailed(client: client, instance: UInt16(client % 2), at: at)
        }
        let session = observers[loop].sessionOpened(
            client: client, instance: UInt16(client % 2), slowReader: chance(10), attemptedAt: at, openedAt: instant())
        open.append((loop, session))
    }

    private func stallOrResume() {
        guard !open.isEmpty else { return }
        let (loop, session) = open[random.below(open.count)]
        if chance(50) {
            observers[loop].sessionStalled(session: session, at: instant())
        } else {
            observers[loop].sessionResumed(session: session, at: instant())
        }
    }

    private func close(end: SessionEnd? = nil) {
        let (loop, session) = open.remove(at: random.below(open.count))
        let ends: [SessionEnd] = [.churned, .closedByServer(code: 1008), .dropped, .protocolError("a bad frame")]
        observers[loop].sessionClosed(session: session, end: end ?? ends[random.below(4)], at: instant())
        // Something comes after the close now and then, which a real fleet would throw away.
        if end == nil, chance(20), let late = sent.last { deliver(late, loop, session) }
    }

    private func publish(_ publisher: Int) {
        let log = logs[publisher]
        let at = instant()
        let process = chance(40) ? UInt32(random.below(5)) : ProbeStamp.noProcess
        let step = UInt16(random.below(6))
        let sequence = log.submit(channel: 0, intended: at, sent: at, process: process, step: step)
        guard !chance(2) else {
            if chance(50) { log.failed(channel: 0, sequence: sequence, outcome: .queueDropped, at: instant()) }
            return
        }
        var stamp = ProbeStamp(
            kind: log.isFence ? .fence : .load, run: Self.run, publisher: log.publisher, sequence: sequence,
            process: process, step: step, intended: at)
        stamp.published = instant()
        log.published(channel: 0, sequence: sequence, at: stamp.published)
        let bytes = stamp.appended(to: #"{"name":"invalidateCache"}"#.utf8)
        sent.append(bytes)
        for (loop, session) in open { pass(bytes, loop, session) }
        if chance(97) { log.acknowledged(channel: 0, sequence: sequence, at: instant()) }
        if chance(2) { log.failed(channel: 0, sequence: sequence, outcome: .maybePublished, at: instant()) }
    }

    /// The way of one message to one session, with every defect.
    private func pass(_ bytes: [UInt8], _ loop: Int, _ session: Int) {
        switch random.below(100) {
        case 0: return
        case 1:
            deliver(bytes, loop, session)
            deliver(bytes, loop, session)
        case 2:
            var broken = bytes
            broken[random.below(broken.count)] ^= 1
            deliver(broken, loop, session)
        case 3: deliver(Array("just text".utf8), loop, session)
        case 4: deliver([UInt8](repeating: UInt8(ascii: "x"), count: 1000 + random.below(1000)) + bytes, loop, session)
        case 5: deliver(sent[random.below(sent.count)], loop, session)
        case 6: deliver(forged(), loop, session)
        default: deliver(bytes, loop, session)
        }
    }

    /// A stamp that fits its bytes and no message: another run, channel or publisher, or one never sent.
    private func forged() -> [UInt8] {
        ProbeStamp(
            run: chance(50) ? Self.run : 5, channel: UInt8(random.below(2)),
            publisher: PublisherID(UInt32(random.below(6))), sequence: UInt64(5000 + random.below(1 << 9)),
            intended: instant()
        ).appended(to: #"{"name":"forged"}"#.utf8)
    }

    private func deliver(_ bytes: [UInt8], _ loop: Int, _ session: Int) {
        let at = instant()
        bytes.withUnsafeBytes { observers[loop].received(session: session, message: $0, at: at) }
    }

    // MARK: - The end

    /// Ends the trace and settles the live side, whose result is written beside it.
    func finish() async throws -> RunResult {
        for log in logs { log.close() }
        for observer in observers { observer.trace?.close() }
        let document = TraceEnd(
            durationNanoseconds: 1_000_000_000, interrupted: false, context: context,
            guarantees: GuaranteeID.allCases.map { .init(id: $0, promised: $0 == .integrity, expected: nil) })
        let bytes = try TraceDocument.bytes(document)
        _ = await withCheckedContinuation { continuation in
            writer.finish(document: bytes) { continuation.resume(returning: $0) }
        }
        let settlement = try WSMVerify.settle(
            loops: observers.map { $0.snapshot() }, history: logs.map { $0.snapshot() }, context: context)
        let result = result(of: settlement)
        try result.json().write(to: URL(fileURLWithPath: "\(folder)/result.json"))
        return result
    }

    private func result(of settlement: Settlement) -> RunResult {
        var result = RunResult(
            name: "made-up", seed: seed, startedAt: "2026-01-01T00:00:00Z",
            durationNanoseconds: 1_000_000_000, environment: .current())
        result.delivery = DeliveryCounts(settlement.delivery, over: .seconds(1))
        result.latency = settlement.stages.latency.summary
        result.latencyFromActualSend = settlement.stages.latencyFromActualSend.summary
        result.latencySlowReaders = settlement.stages.slowReaderLatency.summary
        result.fanOutSkew = settlement.fanOutSkew.summary
        result.guarantees = settlement.guarantees.map { GuaranteeResult($0, promised: $0.id == .integrity) }
        return result
    }
}
