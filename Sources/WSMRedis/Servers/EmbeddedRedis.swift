import NIOCore
public import WSMCore
public import WSMTLS

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A private redis-server for a run: no persistence, with TLS and users if wanted, a folder of its own, gone without a trace when the run is.
///
/// It ends with ``stop()`` and, however this process ends (`kill -9` included), soon after the process. Methods may be called
/// from anywhere; calls that overlap take turns.
public actor EmbeddedRedis {
    /// What to start.
    public struct Options: Sendable {
        /// Where clients find it.
        public enum Listen: Sendable, Hashable {
            /// A free port of 127.0.0.1.
            case tcp
            /// A socket in the server's folder.
            case unixSocket
        }

        /// What a server proves itself with, and the certificate of the authority that vouches for it; all in PEM.
        public struct TLS: Sendable {
            public var identity: TLSIdentity
            public var authority: String

            /// - Parameter identity: Must be valid for 127.0.0.1.
            public init(identity: TLSIdentity, authority: String) {
                self.identity = identity
                self.authority = authority
            }
        }

        /// What the server is part of.
        enum Kind: Sendable {
            case alone
            /// A node of a cluster.
            case clusterNode
            /// A master or a replica, whichever its sentinels make of it.
            case replicated
            case sentinel
        }

        public var listen: Listen
        public var password: String?
        /// Makes its port one for TLS; clients verify with the authority's certificate, which ``EmbeddedRedis/url`` names.
        public var tls: TLS?
        /// Users beside the first, who may do everything.
        public var users: [RedisUser]
        /// Lines for the server's configuration file, such as `client-output-buffer-limit pubsub 1mb 1mb 1`.
        public var configuration: [String]
        /// How long the server may take until it answers.
        public var deadline: TimeSpan
        /// Where to look for redis-server, as `PATH` is written; the environment's `PATH` when `nil`.
        public var searchPath: String?
        /// The folder to make the server's folder in; `TMPDIR` or `/tmp` when `nil`.
        public var temporaryFolder: String?
        var kind = Kind.alone

        public init(
            listen: Listen = .tcp, password: String? = nil, tls: TLS? = nil, users: [RedisUser] = [],
            configuration: [String] = [], deadline: TimeSpan = .seconds(15), searchPath: String? = nil,
            temporaryFolder: String? = nil
        ) {
            self.listen = listen
            self.password = password
            self.tls = tls
            self.users = users
            self.configuration = configuration
            self.deadline = deadline
            self.searchPath = searchPath
            self.temporaryFolder = temporaryFolder
        }
    }

    /// Where clients find it; stays the same for its whole life.
    public nonisolated let url: RedisURL
    /// The server's folder: its configuration, its log, its socket.
    public nonisolated let folder: String

    /// Where one of ``Options/users`` finds it; `nil` for a name that is none of them.
    public nonisolated func url(as name: String) -> RedisURL? {
        users.first { $0.name == name }.map { url.login(as: $0.name, password: $0.password) }
    }

    private nonisolated let users: [RedisUser]

    /// The server's process; `nil` while it is killed or after the end.
    public private(set) var pid: Int32?

    private let supervisor: RedisSupervisor
    private let options: Options
    private var isStopped = false
    private var isBusy = false

    private init(supervisor: RedisSupervisor, folder: String, url: RedisURL, pid: Int32, options: Options) {
        self.supervisor = supervisor
        self.folder = folder
        self.url = url
        self.pid = pid
        self.options = options
        users = options.users
    }

    deinit {
        guard !isStopped else { return }
        // Closing the socket is what matters; the supervisor is waited for so that it leaves no zombie.
        let supervisor = supervisor
        Task.detached { _ = await supervisor.finish() }
    }

    /// Starts a server and returns when it answers.
    ///
    /// Throws a ``RedisError`` `serverNotStarted`, with the last lines of the server's log if there are any.
    public static func start(_ options: Options = Options()) async throws -> EmbeddedRedis {
        let server = try RedisServerFiles.findServer(searchPath: options.searchPath)
        let parent = options.temporaryFolder ?? RedisServerFiles.temporaryFolder
        let supervisor = try RedisSupervisor.start(
            server: server, parent: parent, arguments: options.kind.arguments)
        do {
            guard let folder = try? await supervisor.readLine() else {
                throw RedisError(.serverNotStarted, "cannot make a folder for the private redis-server in \(parent)")
            }
            let (url, pid) = try await launch(supervisor, folder: folder, options: options)
            return EmbeddedRedis(supervisor: supervisor, folder: folder, url: url, pid: pid, options: options)
        } catch {
            _ = await supervisor.finish()
            throw error
        }
    }

    /// Kills the server (SIGKILL) as a crash would; its address stays reserved for ``startAgain()`` as well as can be.
    public func kill() async throws {
        try await inTurn {
            _ = try await supervisor.ask("kill")
            pid = nil
        }
    }

    /// Starts the server again on the same address, empty, and returns when it answers.
    ///
    /// Kills it first if it runs.
    public func startAgain() async throws {
        try await inTurn {
            pid = nil
            // A server that is told its role by others has written down what it was told.
            if !options.kind.writesOwnConfiguration { try Self.configure(folder, url, options) }
            pid = try await Self.startServer(supervisor, folder: folder, options: options)
        }
    }

    /// Stops the server's process (SIGSTOP): connections stay, nothing answers, until ``resume()``.
    public func pause() async throws {
        try await inTurn { try await signal("pause") }
    }

    /// Lets a paused server go on (SIGCONT).
    public func resume() async throws {
        try await inTurn { try await signal("resume") }
    }

    /// Whether the server's process runs; false too when nobody can tell.
    public func isAlive() async -> Bool {
        var isAlive = false
        try? await inTurn { isAlive = try await supervisor.ask("check") == "alive" }
        return isAlive
    }

    /// Ends the server and removes its folder; returns when both are gone.
    ///
    /// Further calls do nothing.
    public func stop() async {
        guard !isStopped else { return }
        isStopped = true
        while isBusy { await pauseBriefly() }
        pid = nil
        _ = await supervisor.finish()
    }

    private func signal(_ word: String) async throws {
        guard try await supervisor.ask(word) != "dead" else {
            throw RedisError(.serverNotStarted, "the private redis-server does not run, so it cannot \(word)")
        }
    }

    /// One conversation with the supervisor at a time: an actor alone lets another call in at each `await`.
    private func inTurn(_ body: () async throws -> Void) async throws {
        while isBusy { await pauseBriefly() }
        guard !isStopped else { throw RedisError(.serverNotStarted, "the private redis-server was stopped") }
        isBusy = true
        defer { isBusy = false }
        try await body()
    }

    /// Starts the server for the first time; a port that is taken meanwhile is given up for another.
    private static func launch(
        _ supervisor: RedisSupervisor, folder: String, options: Options
    ) async throws -> (RedisURL, Int32) {
        var lastError: (any Error)?
        for _ in 0..<5 {
            let url: RedisURL
            switch options.listen {
            case .tcp:
                let port = try FreePort.choose(withFreePortAt: options.kind.secondPort)
                let trust = options.tls.map { _ in TLSTrust.file(RedisServerFiles.authorityPath(folder)) }
                url = RedisURL(
                    address: .tcp(host: "127.0.0.1", port: port), password: options.password, trust: trust)
            case .unixSocket:
                url = RedisURL(
                    address: .unixSocket(path: RedisServerFiles.socketPath(folder)), password: options.password)
            }
            do {
                try configure(folder, url, options)
                return (url, try await startServer(supervisor, folder: folder, options: options))
            } catch {
                lastError = error
                let log = RedisServerFiles.lastLines(of: folder)
                guard options.listen == .tcp, log.contains("already in use") else { throw error }
            }
        }
        throw lastError ?? RedisError(.serverNotStarted, "no port was free for the private redis-server")
    }

    private static func configure(_ folder: String, _ url: RedisURL, _ options: Options) throws(RedisError) {
        if let tls = options.tls { try RedisServerFiles.writeIdentity(tls, folder: folder) }
        let users = options.users.map(\.configurationLine)
        try RedisServerFiles.writeConfiguration(
            folder: folder, url: url, lines: options.kind.configuration + users + options.configuration)
    }

    private static func startServer(
        _ supervisor: RedisSupervisor, folder: String, options: Options
    ) async throws -> Int32 {
        RedisServerFiles.removeSocket(folder: folder)
        guard let pid = Int32(try await supervisor.ask("start")) else {
            throw RedisError(.serverNotStarted, "the supervisor of the private redis-server named no process")
        }
        let end = MonotonicInstant.now() + options.deadline
        while true {
            if RedisServerFiles.answers(socket: RedisServerFiles.socketPath(folder)) { return pid }
            let isAlive = try await supervisor.ask("check") == "alive"
            guard isAlive, MonotonicInstant.now() < end else {
                _ = try await supervisor.ask("kill")
                let what = isAlive ? "did not answer within \(options.deadline.seconds) s" : "ended at once"
                throw RedisError(
                    .serverNotStarted,
                    "the private redis-server \(what); its log ends:\n\(RedisServerFiles.lastLines(of: folder))")
            }
            await pauseBriefly()
        }
    }
}

extension EmbeddedRedis.Options.Kind {
    /// How far above a cluster node's port its bus listens, unless it is configured otherwise.
    private static let busDistance = 10_000

    /// The distance to a second port that the server needs.
    fileprivate var secondPort: Int? { self == .clusterNode ? Self.busDistance : nil }

    fileprivate var arguments: [String] { self == .sentinel ? ["--sentinel"] : [] }

    /// Whether the server keeps what others tell it in its configuration file.
    fileprivate var writesOwnConfiguration: Bool { self == .replicated || self == .sentinel }

    fileprivate var configuration: [String] {
        switch self {
        case .alone, .sentinel: []
        case .clusterNode:
            ["cluster-enabled yes", "cluster-announce-ip 127.0.0.1", "cluster-node-timeout 5000"]
        case .replicated: ["repl-diskless-sync yes", "repl-diskless-sync-delay 0"]
        }
    }
}
