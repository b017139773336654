internal import WSMCore
internal import WSMRecord
internal import WSMVerify

/// Tells the events of a trace to fresh logs and observers, which are those of a live run.
///
/// Memory grows with messages and sessions, as in the run, and not with receipts.
struct TraceReplay {
    private(set) var run: TraceRun?
    private(set) var end: TraceEnd?
    private(set) var summary = TraceSummary()
    private var lacksEvents = false
    private var logs: [PublishLog] = []
    private var lanes: [UInt32: ClientsReplay] = [:]

    /// More publishers than this are in no run; a forged number must not take the memory.
    private static let mostPublishers = 1 << 20

    /// Takes in the next chunk.
    mutating func take(_ chunk: TraceChunk) throws(TraceError) {
        if let document = chunk.document { try take(document, of: chunk) }
        var tally = TraceTally()
        let lane = try lane(of: chunk)
        // What was dropped may be what the next event rests on: from here on events are only counted.
        if chunk.dropped > 0 { lacksEvents = true }
        let isTold = !lacksEvents
        let logs = self.logs
        defer { summary.note(chunk, tally) }
        try chunk.forEachEvent { (event) throws(TraceError) in
            if isTold, let fault = lane?.take(event) ?? TraceReplay.take(event, logs) { throw chunk.impossible(fault) }
            tally.note(event)
        }
    }

    mutating func noteDropped(_ count: UInt64) { summary.dropped = Int(clamping: count) }

    /// What the settlement of the live run was given.
    var history: [PublisherHistory] { logs.map { $0.snapshot() } }

    var loops: [LoopRecord] {
        lanes.values.sorted { $0.loop < $1.loop }.map { $0.observer.snapshot() }
    }

    // MARK: - Documents

    private mutating func take(_ bytes: ArraySlice<UInt8>, of chunk: TraceChunk) throws(TraceError) {
        if run == nil {
            guard let document = try? TraceDocument.read(TraceRun.self, bytes) else {
                throw chunk.impossible("the document about the run cannot be read")
            }
            guard document.schema == TraceRun.schemaName, document.publishers.count <= Self.mostPublishers else {
                throw chunk.impossible(
                    "the document about the run is \(document.schema) with \(document.publishers.count) publishers, "
                        + "and this program reads \(TraceRun.schemaName)")
            }
            run = document
            logs = document.publishers.enumerated().map { number, publisher in
                PublishLog(
                    publisher: PublisherID(UInt32(number)), instance: publisher.instance, isFence: publisher.isFence)
            }
        } else {
            do {
                end = try TraceDocument.read(TraceEnd.self, bytes)
            } catch {
                throw chunk.impossible("the document about the run's end cannot be read: \(error)")
            }
        }
    }

    // MARK: - Events

    private mutating func lane(of chunk: TraceChunk) throws(TraceError) -> ClientsReplay? {
        guard chunk.role == .clients else { return nil }
        if let known = lanes[chunk.lane] { return known }
        guard let run else { throw chunk.impossible("events come before the document about the run") }
        let observer = DeliveryObserver(
            run: run.run, publisherCount: logs.count, channel: run.listened, bounds: run.bounds)
        let lane = ClientsReplay(loop: chunk.index, observer: observer)
        lanes[chunk.lane] = lane
        return lane
    }

    /// Tells a publisher's log; what is wrong with the event, if it cannot be told.
    private static func take(_ event: TraceEvent, _ logs: [PublishLog]) -> String? {
        switch event {
        case .submitted(let message):
            guard let log = log(of: message.key, logs) else { return unknown(message.key) }
            guard UInt64(log.submittedCount(channel: message.key.channel)) == message.key.sequence else {
                return "message \(message.key.sequence) of publisher \(message.key.publisher) is not its next one"
            }
            _ = log.submit(
                channel: message.key.channel, intended: message.intended, sent: message.sent,
                process: message.process, step: message.step)
        case .published(let key, let at, _, _):
            guard let log = submitted(key, logs) else { return unknown(key) }
            log.published(channel: key.channel, sequence: key.sequence, at: at)
        case .acknowledged(let key, let at):
            guard let log = submitted(key, logs) else { return unknown(key) }
            log.acknowledged(channel: key.channel, sequence: key.sequence, at: at)
        case .failed(let key, let outcome, let at):
            guard let log = submitted(key, logs) else { return unknown(key) }
            log.failed(channel: key.channel, sequence: key.sequence, outcome: outcome, at: at)
        default:
            break
        }
        return nil
    }

    private static func log(of key: MessageKey, _ logs: [PublishLog]) -> PublishLog? {
        key.publisher < UInt32(logs.count) ? logs[Int(key.publisher)] : nil
    }

    private static func submitted(_ key: MessageKey, _ logs: [PublishLog]) -> PublishLog? {
        guard let log = log(of: key, logs), key.sequence < UInt64(log.submittedCount(channel: key.channel)) else {
            return nil
        }
        return log
    }

    private static func unknown(_ key: MessageKey) -> String {
        "a report on message \(key.sequence) of publisher \(key.publisher), which was never submitted"
    }
}

/// The clients of one event loop, told again.
final class ClientsReplay {
    let loop: UInt32
    let observer: DeliveryObserver
    private let timeline: Timeline.Plan?
    private var sessions: UInt32 = 0
    /// The messages that the chunk has defined, by their slots, as bytes that read as they did; the trace's reader knows
    /// which slots are defined.
    private var messages: [[UInt8]] = []

    /// - Parameter timeline: How the observer keeps the receipts over time; `nil`: not.
    init(loop: UInt32, observer: DeliveryObserver, timeline: Timeline.Plan? = nil) {
        self.loop = loop
        self.observer = observer
        self.timeline = timeline
    }

    /// Tells the observer; what is wrong with the event, if it cannot be told.
    func take(_ event: TraceEvent) -> String? {
        switch event {
        case .defined(let slot, let message):
            while messages.count <= Int(slot) { messages.append([]) }
            messages[Int(slot)] = Self.bytes(of: message)
        case .received(let slot, let session, let at):
            guard session < sessions else { return unknown(session) }
            messages[Int(slot)].withUnsafeBytes { observer.received(session: Int(session), message: $0, at: at) }
        case .foreign(let receipt):
            guard receipt.session < sessions else { return unknown(receipt.session) }
            // What was cut off must not make a stamp of what is left.
            let bytes = receipt.bytes.count < receipt.length ? receipt.bytes + [UInt8(ascii: " ")] : receipt.bytes
            bytes.withUnsafeBytes { observer.received(session: Int(receipt.session), message: $0, at: receipt.at) }
        case .opened(let session):
            guard session.session == sessions, sessions < .max else { return unknown(session.session) }
            _ = observer.sessionOpened(
                client: session.client, instance: session.instance, slowReader: session.slowReader,
                attemptedAt: session.attemptedAt, openedAt: session.openedAt)
            sessions += 1
        case .stalled(let session, let at):
            guard session < sessions else { return unknown(session) }
            observer.sessionStalled(session: Int(session), at: at)
        case .resumed(let session, let at):
            guard session < sessions else { return unknown(session) }
            observer.sessionResumed(session: Int(session), at: at)
        case .closed(let session, let end, let at):
            guard session < sessions else { return unknown(session) }
            observer.sessionClosed(session: Int(session), end: end, at: at)
        case .connectFailed(let client, let instance, let at):
            observer.connectFailed(client: client, instance: instance, at: at)
        case .measuring(let from):
            observer.startMeasuring(at: from, timeline: timeline)
        case .fault(let mark):
            observer.tell(mark)
        default:
            break
        }
        return nil
    }

    private func unknown(_ session: UInt32) -> String { "session \(session) is not one of the \(sessions) so far" }

    /// A message that reads as the one that was received.
    private static func bytes(of message: TracedMessage) -> [UInt8] {
        var bytes = message.stamp.appended(to: "{}".utf8)
        if !message.intact {
            // The checksum's last digit: the 64th of the stamp's 128, which two bytes follow.
            let digit = bytes.count - 2 - 64 - 1
            bytes[digit] = bytes[digit] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        }
        return bytes
    }
}
