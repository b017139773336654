import ArgumentParser
import WSMCore
import WSMHarness

/// `wsmlab serve`: one instance as a server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve one instance until SIGTERM or Ctrl-C.",
        discussion: """
            The instance answers /api/ws/events for WebSocket clients, the HTTP API for processes and settings, /health \
            and /metrics. Instances on one Redis reach each other's clients, and those of a real orchestrator.

            The first line on stdout names the address, so that a script may use --port 0.

            Examples:
              wsmlab serve --port 8080
              wsmlab serve --manager broadcast --redis redis://127.0.0.1:6379 --port 8080
              wsmlab serve --profile reference --redis redis://127.0.0.1:6379
              wsmlab serve --tls-certificate server.pem --tls-key server.key --redis 'rediss://host?ssl_ca_certs=ca.pem'
            """)

    @Option(
        help:
            "How messages reach the clients: in this process alone, or through Redis. (default: broadcast with --redis)"
    )
    var manager: ManagerKind?

    @Option(help: ArgumentHelp("The Redis to broadcast through.", valueName: "url"))
    var redis: String?

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 8080

    @Option(help: "The policies: what people run today, or what we would run.")
    var profile: Profile = .hardened

    @Option(help: "Worker threads for workflow processes.")
    var workers = 5

    @Flag(help: "Serve POST /api/broadcast/{channel}, which relays its body to all clients.")
    var allowBroadcast = false

    @Option(help: "Clients must show this bearer token in Sec-WebSocket-Protocol.")
    var token: String?

    @Option(
        help: ArgumentHelp(
            "Serve over TLS (https, wss) with the certificate in this PEM file, and those between it and its authority.",
            valueName: "file"), completion: .file(extensions: ["pem", "crt"]))
    var tlsCertificate: String?

    @Option(
        help: ArgumentHelp("The certificate's key: a PEM file without a passphrase.", valueName: "file"),
        completion: .file(extensions: ["pem", "key"]))
    var tlsKey: String?

    private var chosenManager: ManagerKind { manager ?? (redis == nil ? .memory : .broadcast) }

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard (1...1000).contains(workers) else { throw ValidationError("--workers must be from 1 to 1000") }
        guard token?.isEmpty != true else { throw ValidationError("--token must not be empty") }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key belong together: give both, or neither")
        }
        if let redis { try ScenarioFlags.checkRedisURL(redis) }
        if chosenManager == .broadcast, redis == nil {
            throw ValidationError(
                "--manager broadcast needs a Redis: add --redis redis://127.0.0.1:6379, or use --manager memory")
        }
        if chosenManager == .memory, redis != nil {
            throw ValidationError("--manager memory uses no Redis: leave --redis out, or use --manager broadcast")
        }
    }

    func run() async throws {
        let interruption = Interruption()
        Signals.watch(
            interruption, first: { Output.errors.write("stopping; once more quits at once\n") }, last: {})
        let options = ServeOptions(
            manager: chosenManager, policies: .of(profile), redisURL: redis, host: host, port: port, workers: workers,
            allowBroadcast: allowBroadcast, token: token,
            tls: tlsCertificate.flatMap { file in tlsKey.map { (certificate: file, key: $0) } })
        let secure = options.tls == nil ? "" : "s"
        try await InstanceServer.serve(
            options: options,
            ready: { address in
                Output.standard.write(
                    "listening on http\(secure)://\(address), WebSocket ws\(secure)://\(address)/api/ws/events\n")
                Output.standard.flush()
            }, interruption: interruption)
    }
}
