internal import NIOCore
internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMRedis
internal import WSMScenario
internal import WSMTLS

/// A system that ran before the run and runs after it: where clients connect to, and how messages get in.
///
/// Nothing is known of its inside. Fences tell when a session is subscribed; they are published as the load is.
final class TargetSystem: Sendable {
    let spec: TargetSpec
    let endpoints: [ClientEndpoint]
    let watch: TargetWatch
    private let urls: [TargetURL]
    private let route: TargetRoute
    private let run: UInt32
    private let publishers: PublisherTable
    private let open = OpenConnections()
    private let publishing = Mutex(PublishFailures())

    /// Publishes that came to nothing.
    struct PublishFailures: Sendable {
        /// How many, by reason; of those that do not fit there is one entry more.
        var counts: [String: Int] = [:]
        var last: String?
        /// Fences that failed for certain since the last one that did not.
        var fencesInARow = 0

        static let limit = 16

        mutating func count(_ reason: String) {
            last = reason
            let key = counts.count < Self.limit || counts[reason] != nil ? reason : "others"
            counts[key, default: 0] += 1
        }
    }

    /// How long a connect or an answer may take.
    private static let publishDeadline = TimeSpan.seconds(5)
    private static let checkDeadline = TimeSpan.seconds(3)
    /// After so many failed fences in a row there is no use in more: nothing can be published.
    private static let failedFences = 6

    /// Makes sure that the target is there: its processes, each URL that clients connect to, and what it is published to.
    ///
    /// Each URL gets one WebSocket session, which is closed again; nothing is published.
    /// - Throws: ``HarnessError`` of the environment, naming what is not there.
    static func start(
        _ spec: TargetSpec, run: UInt32, publishers: PublisherTable, loops: SocketLoops
    ) async throws -> TargetSystem {
        for pid in spec.pids where !ProcessTree.exists(Int32(clamping: pid)) {
            throw HarnessError(.targetUnavailable, "target.pids: there is no process \(pid) here")
        }
        let system = try TargetSystem(spec, run: run, publishers: publishers)
        do {
            try await system.checkPublishing()
            for index in system.urls.indices { try await system.checkClients(index, loops) }
        } catch {
            system.watch.stop()
            throw error
        }
        return system
    }

    private init(_ spec: TargetSpec, run: UInt32, publishers: PublisherTable) throws {
        self.spec = spec
        self.run = run
        self.publishers = publishers
        do {
            urls = try spec.clients.map { try TargetURL($0, schemes: ["ws", "wss"]) }
        } catch let error as TargetURL.Fault {
            throw HarnessError(.targetUnavailable, "target.clients: \(error.message)")
        }
        let trust = spec.certificateAuthority.map { TLSTrust.file($0) } ?? .system
        endpoints = urls.map {
            ClientEndpoint(
                host: $0.host, port: $0.port, path: $0.path, subprotocols: spec.subprotocols,
                trust: $0.scheme == "wss" ? trust : nil)
        }
        route = try TargetRoute(spec.publish)
        var redis: RedisURL?
        if case .redis(let url, _) = route { redis = url }
        watch = TargetWatch(pids: spec.pids.map { Int32(clamping: $0) }, redis: redis, open: open)
    }

    /// The instance that publishers belong to: the one whose address takes the publishes, or one beyond the last, for none.
    static func publisherInstance(_ spec: TargetSpec) -> UInt16 {
        let outside = UInt16(spec.clients.count)
        guard spec.clients.count > 1 else { return 0 }
        guard case .http(let text) = spec.publish, let url = try? TargetURL(text, schemes: ["http"]) else {
            return outside
        }
        let index = spec.clients.firstIndex {
            (try? TargetURL($0, schemes: ["ws", "wss"]))?.authority == url.authority
        }
        return index.map { UInt16($0) } ?? outside
    }

    var publishFailures: PublishFailures { publishing.withLock { $0 } }

    /// Whether publishing has failed so often that more fences would not help.
    var refusesFences: Bool { publishing.withLock { $0.fencesInARow >= Self.failedFences } }

    /// Ends what watches it; the target itself goes on.
    func shutDown() { watch.stop() }

    // MARK: Publishing

    /// What the thread of a planned publisher publishes with: called with the intended instant and the actual one.
    func makePublish(_ plan: PlannedBroadcaster) -> (_ intended: MonotonicInstant, _ sent: MonotonicInstant) -> Void {
        let publisher = TargetPublisher(route, deadline: Self.publishDeadline, counting: open)
        _ = publisher.connect()
        let json = BroadcastPayload.json(bytes: plan.payloadBytes)
        let log = publishers.logs[plan.index]
        return { [self] intended, sent in
            _ = publish(json, .load, intended: intended, sent: sent, log, publisher)
        }
    }

    /// Publishes one fence on a thread of its own, and returns when it is published or has failed.
    func publishFence() async {
        await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "load-fence") { [self] in
                let publisher = TargetPublisher(route, deadline: Self.checkDeadline, counting: open)
                let now = MonotonicInstant.now()
                let end = publish(
                    FencePublisher.json, .fence, intended: now, sent: now, publishers.targetFence, publisher)
                publishing.withLock { state in
                    switch end {
                    case .failed, .refused: state.fencesInARow += 1
                    case .acknowledged, .maybePublished: state.fencesInARow = 0
                    }
                }
                continuation.resume()
            }
        }
    }

    private func publish(
        _ json: [UInt8], _ kind: ProbeStamp.Kind, intended: MonotonicInstant, sent: MonotonicInstant,
        _ log: PublishLog, _ publisher: TargetPublisher
    ) -> TargetPublisher.End {
        let channel = PublisherTable.targetChannel
        let sequence = log.submit(channel: channel, intended: intended, sent: sent)
        var stamp = ProbeStamp(
            kind: kind, run: run, channel: channel, publisher: log.publisher, sequence: sequence, intended: intended)
        stamp.sent = sent
        stamp.published = .now()
        log.published(channel: channel, sequence: sequence, at: stamp.published)
        let end = publisher.publish(stamp.appended(to: json))
        switch end {
        case .acknowledged(let at): log.acknowledged(channel: channel, sequence: sequence, at: at)
        case .failed(let reason), .refused(let reason):
            log.failed(channel: channel, sequence: sequence, outcome: .failed, at: .now())
            publishing.withLock { $0.count(reason) }
        case .maybePublished(let reason):
            log.failed(channel: channel, sequence: sequence, outcome: .maybePublished, at: .now())
            publishing.withLock { $0.count(reason) }
        }
        return end
    }

    // MARK: Whether it is there

    private func checkPublishing() async throws {
        let reason: String? = await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "load-check") { [self] in
                let publisher = TargetPublisher(route, deadline: Self.checkDeadline, counting: open)
                continuation.resume(returning: publisher.connect())
            }
        }
        guard let reason else { return }
        if case .redis = route { throw HarnessError(.targetUnavailable, "cannot publish to the target: \(reason)") }
        throw HarnessError(
            .targetUnavailable, "cannot publish to the target at \(route): \(reason). Is it running there?")
    }

    /// Opens one session at a URL and closes it.
    private func checkClients(_ index: Int, _ loops: SocketLoops) async throws {
        let options = FleetOptions(seed: 0, connectDeadline: Self.checkDeadline, closeDeadline: .milliseconds(500))
        let fleet = ClientFleet<IgnoredDeliveries>(
            loops: Array(loops.all.prefix(1)), endpoints: [endpoints[index]], options: options
        ) { _ in IgnoredDeliveries() }
        let now = MonotonicInstant.now()
        do {
            try await fleet.connectAll([FleetClient(index: 0, instance: 0, connectAt: .zero)], startingAt: now)
            try await fleet.awaitConnected(deadline: now + Self.checkDeadline + .milliseconds(500))
        } catch let error as FleetError {
            let reasons = await fleet.statistics().failures.keys.sorted()
            await fleet.endSessions(deadline: .now())
            // What is wrong with the file of an authority only the error tells.
            let isAboutTLS = error.cause is TLSError
            let unknown = isAboutTLS ? error.message : "its host is not known here"
            let why = error.code == .invalidEndpoint ? unknown : Self.explain(reasons.first)
            throw HarnessError(.targetUnavailable, "no WebSocket at target.clients[\(index)], \(urls[index]): \(why)")
        }
        await fleet.endSessions(deadline: .now() + .milliseconds(500))
    }

    private static func explain(_ reason: String?) -> String {
        switch reason {
        case nil: "no answer within \(checkDeadline.seconds) s"
        case "refused": "the connection is refused. Is it running there?"
        case "certificate refused":
            "its certificate is not signed by a trusted authority, or has expired. Name the authority's file: "
                + "target.certificateAuthority"
        case "certificate for another host":
            "its certificate is for another name. Use a name or address in target.clients that stands in the certificate"
        case "no TLS there": "what answers does not speak TLS. Without TLS the URL begins with ws://"
        case "not a WebSocket handshake":
            "what answers is no WebSocket handshake, or chose a subprotocol that was not offered. Check the URL's path "
                + "and target.subprotocols"
        case let reason?: "\(reason). Check the URL's path and target.subprotocols"
        }
    }

    /// The error for a run in which no session received anything of what was published before the load.
    func silence(openSessions: Int, _ statistics: FleetStatistics) -> HarnessError {
        if refusesFences, let reason = publishFailures.last {
            return HarnessError(.targetUnavailable, "publishing to the target at \(route) fails: \(reason)")
        }
        guard openSessions > 0 else {
            return HarnessError(
                .targetUnavailable,
                "the target keeps no client: \(statistics.opened) sessions were opened, \(statistics.closedByServer) "
                    + "closed by it, \(statistics.dropped) dropped. Does it ask for a token (target.subprotocols)?")
        }
        var message =
            "none of \(openSessions) open clients received anything of what was published at \(route). Is that what the "
            + "clients' URLs listen to?"
        if statistics.binaryMessages > 0 {
            message += " \(statistics.binaryMessages) binary messages came, and only text is read."
        }
        if let reason = publishFailures.last { message += " The last publish that failed: \(reason)" }
        return HarnessError(.targetUnavailable, message)
    }
}

/// Hears nothing: for a session that only shows that there is a server.
private final class IgnoredDeliveries: DeliverySink {
    func sessionOpened(
        client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant, openedAt: MonotonicInstant
    ) -> Int { 0 }
    func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {}
    func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant) {}
    func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) {}
}
