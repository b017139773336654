import Synchronization
import WSMCore
import WSMHarness
import WSMReport

/// `--live`: the page of one run, kept up to date.
///
/// Safe from any thread. Whoever has started it calls one of the `finish` functions, however the run ends.
final class LiveView: Sendable {
    /// How long the last text may take to reach the viewers.
    private static let lastDeadline = TimeSpan.milliseconds(800)

    private let server: LiveServer
    private let feed: LiveFeedBox

    /// Where the page is.
    var address: String { server.address }

    /// Serves the page on the loopback address; port 0 takes a free one.
    static func start(port: Int, name: String) async throws -> LiveView {
        let feed = LiveFeedBox(LiveFeed(name: name, now: .now()))
        let server = try await LiveServer.start(
            port: port,
            content: LiveServer.Content(page: LivePage.text, script: LivePage.script, greeting: { feed.greeting }))
        return LiveView(server: server, feed: feed)
    }

    private init(server: LiveServer, feed: LiveFeedBox) {
        self.server = server
        self.feed = feed
    }

    /// Takes in how far the run is; what that costs beyond a few numbers is paid on the server's thread, if anybody looks.
    func show(_ progress: RunProgress) {
        guard feed.note(progress) else { return }
        server.send { [feed] in feed.state }
    }

    /// Tells how the run ended, and closes.
    func finish(_ outcome: RunOutcome) async {
        await server.finish(last: feed.end(outcome), deadline: Self.lastDeadline)
    }

    /// Tells that the run came to nothing, and closes.
    func finish(_ error: any Error) async {
        let code = WSMHarness.ExitCode(for: error).rawValue
        await server.finish(last: feed.end("\(error)", exitCode: code), deadline: Self.lastDeadline)
    }
}

/// The feed between the run's threads and the server's.
private final class LiveFeedBox: Sendable {
    private let feed: Mutex<LiveFeed>

    init(_ feed: LiveFeed) { self.feed = Mutex(feed) }

    func note(_ progress: RunProgress) -> Bool { feed.withLock { $0.note(progress, now: .now()) } }

    // Encoded outside of the lock: the run's threads never wait for it.
    private var current: LiveFeed { feed.withLock { $0 } }
    var greeting: [String] { current.greeting }
    var state: String { current.state.text }
    func end(_ outcome: RunOutcome) -> String { current.end(outcome) }
    func end(_ error: String, exitCode: Int32) -> String { current.end(error: error, exitCode: exitCode) }
}
