internal import WSMClients
internal import WSMScenario

extension Credential {
    /// How an instance refuses who shows it; `nil` for the valid one.
    var refusal: ExpectedRefusal? {
        switch self {
        case .valid: nil
        case .expired, .wrong: ExpectedRefusal(kind: rawValue, closeCode: 1008, status: 401)
        case .forbidden: ExpectedRefusal(kind: rawValue, closeCode: 1008, status: 403)
        case .malformed: ExpectedRefusal(kind: rawValue, closeCode: 1002)
        }
    }
}

extension LoadPlan {
    /// The connect plan, as fleets take it, with what each client shows.
    func fleetClients(_ security: PartSecurity) throws -> [FleetClient] {
        try clients.map { client in
            FleetClient(
                index: UInt32(client.index), instance: UInt16(client.instance), connectAt: client.connectAt,
                readRate: client.readRate, subprotocols: try security.subprotocols(of: client),
                refusal: client.credential.refusal)
        }
    }
}
