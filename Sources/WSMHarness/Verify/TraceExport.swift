internal import WSMCore
internal import WSMRecord

/// Writes a trace as JSON lines: one object an event, in the trace's order.
///
/// Every object has `event`, the kind, and `lane`: `clients-N` for an event loop of clients, `publishers`, `instance-N`.
/// Events are in the order of their lane; lanes are written a chunk at a time. Times are nanoseconds of the run's
/// monotonic clock, and end in `At` or stand alone as `at`. The first line is the run, the last one the end.
package struct TraceExport {
    /// By lane and session.
    private var sessions: [UInt32: [UInt32: (client: UInt32, instance: UInt16)]] = [:]
    private let write: (String) -> Void

    /// - Parameter write: takes the lines, one or more at a time.
    package init(write: @escaping (String) -> Void) {
        self.write = write
    }

    /// Writes all of a stored trace; blocks.
    ///
    /// - Throws: ``HarnessError`` with `invalidData` where the trace is not as it was written; all before that is written.
    package mutating func run(_ stored: StoredRun) throws {
        do throws(TraceError) {
            try TraceFile.read(stored.tracePath) { (chunk) throws(TraceError) in try take(chunk) }
        } catch {
            switch error.code {
            case .unreadable, .empty, .notATrace: throw HarnessError(.invalidData, "\(stored.tracePath): \(error.what)")
            default: throw HarnessError(.invalidData, "\(stored.tracePath): \(error); all before that is exported")
            }
        }
    }

    private mutating func take(_ chunk: TraceChunk) throws(TraceError) {
        if let document = chunk.document {
            let kind = chunk.number == 0 ? "run" : "end"
            let text = String(decoding: document, as: UTF8.self).filter { !$0.isNewline }
            write("{\"event\":\"\(kind)\",\"\(kind)\":\(text)}\n")
            return
        }
        let lane =
            chunk.role == .publishers
            ? "publishers" : "\(chunk.role == .clients ? "clients" : "instance")-\(chunk.index)"
        var messages: [UInt16: String] = [:]
        var text = ""
        defer { write(text) }
        try chunk.forEachEvent { (event) throws(TraceError) in
            if case .defined(let slot, let message) = event {
                messages[slot] = TraceExport.fields(of: message)
                return
            }
            text += line(event, lane: lane, number: chunk.lane, messages)
            if text.utf8.count > 1 << 16 {
                write(text)
                text = ""
            }
        }
    }

    // MARK: - Lines

    private mutating func line(
        _ event: TraceEvent, lane: String, number: UInt32, _ messages: [UInt16: String]
    ) -> String {
        if case .opened(let session) = event {
            sessions[number, default: [:]][session.session] = (session.client, session.instance)
        }
        let fields =
            switch event {
            case .defined: ""
            case .received(let slot, let session, let at):
                kind(.received) + at.field("at") + who(session, number) + (messages[slot] ?? "")
            case .foreign(let receipt):
                kind(.foreign) + receipt.at.field("at") + who(receipt.session, number)
                    + ",\"bytes\":\(receipt.length),\"text\":"
                    + JSONString.quoted(String(decoding: receipt.bytes, as: UTF8.self))
            case .opened(let session):
                kind(.opened) + session.openedAt.field("at") + who(session.session, number)
                    + session.attemptedAt.field("attemptedAt") + ",\"slowReader\":\(session.slowReader)"
            case .stalled(let session, let at): kind(.stalled) + at.field("at") + who(session, number)
            case .resumed(let session, let at): kind(.resumed) + at.field("at") + who(session, number)
            case .closed(let session, let end, let at):
                kind(.closed) + at.field("at") + who(session, number) + TraceExport.fields(of: end)
            case .connectFailed(let client, let instance, let at):
                kind(.connectFailed) + at.field("at") + ",\"client\":\(client),\"instance\":\(instance)"
            case .measuring(let from): kind(.measuring) + (from.nanoseconds == .max ? "" : from.field("measuredFrom"))
            case .fault(let mark): kind(.fault) + TraceExport.fields(of: mark)
            default: TraceExport.publishing(event)
            }
        return "{\"event\":\(fields),\"lane\":\"\(lane)\"}\n"
    }

    private static func fields(of mark: FaultMark) -> String {
        switch mark {
        case .expected: ",\"what\":\"expected\""
        case .began(let fault, let at): at.field("at") + ",\"what\":\"began\",\"fault\":\(fault)"
        case .healed(let fault, let at): at.field("at") + ",\"what\":\"healed\",\"fault\":\(fault)"
        }
    }

    private static func publishing(_ event: TraceEvent) -> String {
        switch event {
        case .submitted(let message):
            kind(.submitted) + message.sent.field("at") + message.key.fields + message.intended.field("intendedAt")
                + process(message.process, message.step)
        case .published(let key, let at, let queued, let dequeued):
            kind(.published) + at.field("at") + key.fields + queued.known("queuedAt") + dequeued.known("dequeuedAt")
        case .acknowledged(let key, let at): kind(.acknowledged) + at.field("at") + key.fields
        case .failed(let key, let outcome, let at):
            kind(.failed) + at.field("at") + key.fields + ",\"outcome\":\"\(words("\(outcome)"))\""
        case .fannedOut(let message):
            kind(.fannedOut) + message.writtenAt.field("at") + message.key.fields + ",\"instance\":\(message.instance)"
                + message.deliveredAt.field("deliveredAt") + (message.client.map { ",\"client\":\($0)" } ?? "")
        case .happened(let what, let instance, let client, let at):
            kind(.instance) + at.field("at") + ",\"what\":\"\(words("\(what)"))\",\"instance\":\(instance)"
                + (client.map { ",\"client\":\($0)" } ?? "")
        default: kind(.instance)
        }
    }

    /// `brokerLost` as exports have it, `broker-lost`.
    private static func words(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
    }

    private static func kind(_ kind: TraceEventKind) -> String { "\"\(kind.name)\"" }
    private func kind(_ kind: TraceEventKind) -> String { TraceExport.kind(kind) }

    /// The session with whose it is.
    private func who(_ session: UInt32, _ lane: UInt32) -> String {
        guard let (client, instance) = sessions[lane]?[session] else { return ",\"session\":\(session)" }
        return ",\"session\":\(session),\"client\":\(client),\"instance\":\(instance)"
    }

    private static func fields(of message: TracedMessage) -> String {
        let stamp = message.stamp
        let key = MessageKey(
            publisher: stamp.publisher.rawValue, channel: stamp.channel, sequence: stamp.sequence)
        return key.fields + ",\"kind\":\"\(stamp.kind)\",\"run\":\(stamp.run),\"intact\":\(message.intact)"
            + stamp.intended.field("intendedAt") + stamp.sent.field("sentAt") + stamp.queued.known("queuedAt")
            + stamp.dequeued.known("dequeuedAt") + stamp.published.known("publishedAt")
            + process(stamp.process, stamp.step)
    }

    private static func process(_ process: UInt32, _ step: UInt16) -> String {
        process == ProbeStamp.noProcess ? "" : ",\"process\":\(process),\"step\":\(step)"
    }

    private static func fields(of end: SessionEnd) -> String {
        switch end {
        case .runEnded: ",\"end\":\"run-ended\""
        case .churned: ",\"end\":\"churned\""
        case .closedByServer(let code): ",\"end\":\"closed-by-server\",\"code\":\(code)"
        case .dropped: ",\"end\":\"dropped\""
        case .protocolError(let text): ",\"end\":\"protocol-error\",\"text\":\(JSONString.quoted(text))"
        }
    }
}

extension MonotonicInstant {
    fileprivate func field(_ name: String) -> String { ",\"\(name)\":\(nanoseconds)" }

    /// A field that is left out where the instant is not known.
    fileprivate func known(_ name: String) -> String { nanoseconds == 0 ? "" : field(name) }
}

extension MessageKey {
    fileprivate var fields: String { ",\"publisher\":\(publisher),\"channel\":\(channel),\"sequence\":\(sequence)" }
}
