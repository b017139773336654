internal import WSMClients
internal import WSMScenario

/// What became of the clients that had to be refused: `clients.refused` of `result.json`.
package struct RefusedClients: Codable, Hashable, Sendable {
    /// Refused as it should be, by what was wrong with their token.
    package var expired = 0
    package var wrong = 0
    package var forbidden = 0
    package var malformed = 0
    /// Closed, but not with the code and the error that it should be.
    package var otherwise = 0
    /// Let in: a violation.
    package var admitted = 0
    /// Sessions of clients with a valid token that were closed for a policy: a violation.
    package var validRefused = 0

    package init() {}

    init(_ counts: RefusalCounts) {
        func refused(_ credential: Credential) -> Int { counts.asExpected[credential.rawValue] ?? 0 }
        expired = refused(.expired)
        wrong = refused(.wrong)
        forbidden = refused(.forbidden)
        malformed = refused(.malformed)
        otherwise = counts.otherwise.values.reduce(0, +)
        admitted = counts.admitted.values.reduce(0, +)
        validRefused = counts.validRefused
    }

    /// Those that were refused, however.
    package var total: Int { expired + wrong + forbidden + malformed + otherwise }

    /// The numbers by their names in the result.
    package var byName: [(name: String, count: Int)] {
        [
            ("expired", expired), ("wrong", wrong), ("forbidden", forbidden), ("malformed", malformed),
            ("otherwise", otherwise), ("admitted", admitted), ("validRefused", validRefused),
        ]
    }

    /// What must never be, in words; `nil` when all is as it should be.
    package var violation: String? {
        if admitted > 0 { return "\(admitted) clients without a right were let in" }
        if validRefused > 0 { return "\(validRefused) sessions with a valid token were refused" }
        return nil
    }
}
