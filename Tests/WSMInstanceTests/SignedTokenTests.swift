import Foundation
import NIOCore
import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMManagers
import WSMRecord

@testable import WSMInstance

@Suite("Signed tokens at the socket", .timeLimit(.minutes(2)))
struct SignedTokenTests {
    let signer = TokenSigner(key: Array(0..<32))
    var tokens: SignedTokens { SignedTokens(signer) { 1000 } }

    func token(expiresAt: Int64 = 2000, scope: String = "events") throws -> String {
        try signer.sign(.init(subject: "client-7", expiresAt: expiresAt, scope: scope))
    }

    @Test("A token is what other readers of JSON Web Tokens expect")
    func format() throws {
        let parts = try token().split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        // {"alg":"HS256","typ":"JWT"}
        #expect(parts[0] == "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9")
        #expect(try signer.claims(of: token()) == .init(subject: "client-7", expiresAt: 2000))
    }

    @Test("Who may enter is decided by signature, expiry and scope")
    func decisions() throws {
        #expect(tokens.decide(try token()) == .allowed)
        #expect(tokens.decide(try token(scope: "profile events")) == .allowed)
        #expect(tokens.decide("") == .notAuthenticated("Not authenticated"))
        for expired in [1000, 999, 0, -1] as [Int64] {
            #expect(tokens.decide(try token(expiresAt: expired)) == .notAuthenticated("The token has expired"))
        }
        for scope in ["", "event", "events2", "xevents"] {
            #expect(tokens.decide(try token(scope: scope)) == .notAuthorized("Not authorized"))
        }
        let other = try TokenSigner(key: TokenSigner.makeKey()).sign(.init(subject: "x", expiresAt: 2000))
        #expect(tokens.decide(other) == .notAuthenticated("Invalid token"))
    }

    @Test("No token that was changed anywhere, cut anywhere, or signed with no algorithm is taken")
    func forged() throws {
        let good = Array(try token().utf8)
        for index in good.indices where good[index] != UInt8(ascii: ".") {
            var changed = good
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let text = String(decoding: changed, as: UTF8.self)
            // The last character of a part may hold bits that mean nothing.
            guard tokens.decide(text) != .notAuthenticated("Invalid token") else { continue }
            #expect(index == good.count - 1 && tokens.decide(text) == .allowed, "\(index): \(text)")
        }
        for length in good.indices {
            #expect(tokens.decide(String(decoding: good[..<length], as: UTF8.self)) != .allowed)
        }
        let parts = try token().split(separator: ".")
        // {"alg":"none"}
        for text in [
            "eyJhbGciOiJub25lIn0.\(parts[1]).", "eyJhbGciOiJub25lIn0.\(parts[1]).\(parts[2])", "..", "a.b.c", ".",
            "\u{0}",
        ] {
            #expect(tokens.decide(text) == .notAuthenticated("Invalid token"), "\(text)")
        }
        #expect(tokens.decide(String(repeating: "a", count: 100_000)) == .notAuthenticated("Invalid token"))
    }

    func plan(_ shown: [String?], refusals: [ExpectedRefusal?]) -> [FleetClient] {
        zip(shown, refusals).enumerated().map { index, client in
            FleetClient(
                index: UInt32(index), instance: 0, connectAt: .zero,
                subprotocols: ["base64.bearer.token"] + (client.0.map { [$0] } ?? []), refusal: client.1)
        }
    }

    func fleet(_ fixture: InstanceFixture, deadline: TimeSpan = .seconds(20)) -> ClientFleet<Receipts> {
        let endpoint = ClientEndpoint(host: "127.0.0.1", port: fixture.instances[0].port, path: "/api/ws/events")
        return ClientFleet<Receipts>(
            loops: testLoops.all, endpoints: [endpoint],
            options: FleetOptions(seed: 1, connectDeadline: deadline)
        ) { _ in Receipts() }
    }

    static let expired = ExpectedRefusal(kind: "expired", closeCode: 1008, status: 401)
    static let forbidden = ExpectedRefusal(kind: "forbidden", closeCode: 1008, status: 403)
    static let malformed = ExpectedRefusal(kind: "malformed", closeCode: 1002)

    @Test("Refused clients get the error and the close of the reference, and the others everything")
    func refusals() async throws {
        let authenticator = tokens
        try await InstanceFixture.with(.memory, change: { $0.authenticator = authenticator }) { fixture in
            let fleet = fleet(fixture)
            let shown = [try token(), try token(expiresAt: 1), try token(scope: ""), nil, try token()]
            try await fleet.connectAll(
                plan(shown, refusals: [nil, Self.expired, Self.forbidden, Self.malformed, nil]), startingAt: .now())
            try await fleet.awaitConnected(deadline: .now() + .seconds(20))
            try await fixture.awaitClients(2)
            await fixture.broadcast([#"{"n":1}"#])
            try await eventually("the message at both") {
                try await fleet.withSinks(\.byClient)[0] == [0: [#"{"n":1}"#], 4: [#"{"n":1}"#]]
            }
            var expected = RefusalCounts()
            expected.asExpected = ["expired": 1, "forbidden": 1, "malformed": 1]
            let statistics = await fleet.statistics()
            #expect(statistics.refusals == expected)
            #expect(statistics.failures.isEmpty && statistics.opened == 2)
            try await eventually("no refused socket is left") {
                try await fixture.instances[0].manager.openSockets() == 2
            }
            _ = try await fleet.finish()
        }
    }

    @Test("A client that should have been refused and was not is told, whether it hears something or nothing")
    func admitted() async throws {
        try await InstanceFixture.with(.memory) { fixture in
            let fleet = fleet(fixture, deadline: .milliseconds(300))
            try await fleet.connectAll(plan(["a"], refusals: [Self.expired]), startingAt: .now())
            try await fleet.awaitConnected(deadline: .now() + .seconds(20))
            #expect(await fleet.statistics().refusals.admitted == ["expired": 1])
            _ = try await fleet.finish()
            let listening = self.fleet(fixture)
            try await listening.connectAll(plan(["a"], refusals: [Self.expired]), startingAt: .now())
            try await eventually("the verdict") {
                await fixture.broadcast([#"{"n":1}"#])
                return await listening.statistics().refusals.admitted == ["expired": 1]
            }
            _ = try await listening.finish()
        }
    }

    @Test("Another refusal than expected is counted apart, and so is a valid client that is refused")
    func otherwise() async throws {
        let authenticator = tokens
        try await InstanceFixture.with(.memory, change: { $0.authenticator = authenticator }) { fixture in
            let fleet = fleet(fixture)
            let shown = [try token(expiresAt: 1), try token(expiresAt: 1)]
            try await fleet.connectAll(plan(shown, refusals: [Self.forbidden, nil]), startingAt: .now())
            try await eventually("both verdicts") {
                let refusals = await fleet.statistics().refusals
                return refusals.otherwise == ["forbidden": 1] && refusals.validRefused == 1
            }
            _ = try await fleet.finish()
        }
    }
}
