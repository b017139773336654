internal import WSMClients
internal import WSMCore
internal import WSMScenario
internal import WSMTLS
internal import WSMVerify

extension FleetOptions {
    /// How the clients of a cluster's run behave.
    init(_ scenario: Scenario) {
        let ping = scenario.clients.ping
        self.init(
            pingInterval: ping > .zero ? ping : nil, pongTimeout: scenario.clients.pongTimeout,
            reconnect: scenario.clients.reconnect.policy, seed: scenario.seed, labelsClients: true)
    }
}

extension LagBounds {
    init(_ bounds: BoundsSpec) { self.init(isolation: bounds.isolation, lag: bounds.lag) }
}

extension ClientEndpoint {
    /// Where the clients of a cluster's instance connect to.
    ///
    /// - Parameter trust: Whom to trust to vouch for the instance, over TLS; `nil` without TLS.
    static func instance(port: Int, trust: TLSTrust?) -> ClientEndpoint {
        ClientEndpoint(host: "127.0.0.1", port: port, path: "/api/ws/events", trust: trust)
    }
}
