import Foundation
import NIOCore
import NIOPosix
import Testing
import WSMCertificates
import WSMTLS

@Suite("TLS between our own parts", .timeLimit(.minutes(1)))
struct TLSTests {
    let authority: RunAuthority
    let now = Date()

    init() throws { authority = try RunAuthority(now: now) }

    @Test(
        "A client takes a certificate of the authority that it trusts, by address and by name",
        arguments: ["127.0.0.1", "localhost"])
    func trusted(host: String) async throws {
        let server = try await EchoServer.start(TLSIdentity(try authority.issue()))
        let text = Array(repeating: UInt8(ascii: "x"), count: 100_000)
        let answer = try await echo(text, host: host, port: server.port, trust: .pem(authority.certificate))
        #expect(answer == text)
        try await server.channel.close().get()
    }

    @Test("The authority may stand in a file")
    func file() async throws {
        let path = NSTemporaryDirectory() + "wsmlab-ca-\(UUID().uuidString).pem"
        try authority.certificate.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try await EchoServer.start(TLSIdentity(try authority.issue()))
        #expect(try await echo([1, 2], host: "localhost", port: server.port, trust: .file(path)) == [1, 2])
        try await server.channel.close().get()
    }

    @Test(
        "A client refuses another authority's certificate, an expired one, one for another name, and the system's trust is no help"
    )
    func refused() async throws {
        let other = try RunAuthority(now: now)
        let cases: [(identity: RunAuthority.Identity, trust: TLSTrust, host: String, code: TLSError.Code)] = [
            (try other.issue(), .pem(authority.certificate), "localhost", .certificateRefused),
            (try authority.issue(), .system, "localhost", .certificateRefused),
            (
                try authority.issue(until: now.addingTimeInterval(-30)), .pem(authority.certificate), "localhost",
                .certificateRefused
            ),
            (try authority.issue(for: ["elsewhere.example"]), .pem(authority.certificate), "localhost", .wrongHost),
            (try authority.issue(for: ["10.0.0.1"]), .pem(authority.certificate), "127.0.0.1", .wrongHost),
        ]
        for (identity, trust, host, code) in cases {
            let server = try await EchoServer.start(TLSIdentity(identity))
            let error = await #expect(throws: TLSError.self) {
                _ = try await echo([1], host: host, port: server.port, trust: trust)
            }
            #expect(error?.code == code, "\(String(describing: error))")
            try await server.channel.close().get()
        }
    }

    @Test(
        "Whoever does not speak TLS is cut off",
        arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{0}\u{1}garbage\u{7f}"])
    func garbage(text: String) async throws {
        let server = try await EchoServer.start(TLSIdentity(try authority.issue()))
        let answer = try await sendRaw(Array(text.utf8), port: server.port)
        // An alert at most (RFC 8446, section 6), never an echo.
        #expect(answer.count <= 7 && answer != Array(text.utf8))
        try await server.channel.close().get()
    }

    @Test(
        "Whoever begins a handshake and falls silent, or says nothing at all, is cut off at the deadline",
        arguments: [[], [0x16, 0x03, 0x01, 0x02]] as [[UInt8]])
    func silence(bytes: [UInt8]) async throws {
        let server = try await EchoServer.start(
            TLSIdentity(try authority.issue()), handshakeDeadline: .milliseconds(100))
        #expect(try await sendRaw(bytes, port: server.port).isEmpty)
        // Who keeps to the deadline stays after it.
        try await server.channel.close().get()
    }

    @Test("A client that meets a server without TLS, or one that never answers, knows it in time")
    func noTLS() async throws {
        let plain = try await ServerBootstrap(group: loops)
            .childChannelInitializer { channel in
                channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"), promise: nil)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let error = await #expect(throws: TLSError.self) {
            _ = try await echo(
                [1], host: "localhost", port: plain.localAddress?.port ?? 0, trust: .pem(authority.certificate))
        }
        #expect(error?.code == .notTLS, "\(String(describing: error))")
        try await plain.close().get()
        let silent = try await ServerBootstrap(group: loops).bind(host: "127.0.0.1", port: 0).get()
        let late = await #expect(throws: TLSError.self) {
            _ = try await echo(
                [1], host: "localhost", port: silent.localAddress?.port ?? 0, trust: .pem(authority.certificate),
                deadline: .milliseconds(100))
        }
        #expect(late?.code == .timedOut, "\(String(describing: late))")
        try await silent.close().get()
    }

    @Test("What cannot be used says which part it is, and shows no key")
    func unusable() throws {
        let identity = try authority.issue()
        let other = try authority.issue()
        let cases: [(TLSIdentity, TLSError.Code)] = [
            (TLSIdentity(certificate: "nothing", privateKey: identity.privateKey), .certificateUnusable),
            (TLSIdentity(certificate: "", privateKey: identity.privateKey), .certificateUnusable),
            (TLSIdentity(certificate: identity.certificate, privateKey: "hunter2"), .keyUnusable),
            (TLSIdentity(certificate: identity.certificate, privateKey: other.privateKey), .keyUnusable),
        ]
        for (identity, code) in cases {
            let error = #expect(throws: TLSError.self) { _ = try TLSServer(identity) }
            #expect(error?.code == code)
            #expect(error?.message.contains("hunter2") == false)
        }
        for trust in [TLSTrust.pem("nothing"), .pem(""), .file("/nowhere/ca.pem")] {
            let error = #expect(throws: TLSError.self) { _ = try TLSClient(trust: trust) }
            #expect(error?.code == .authorityUnusable)
        }
        var dumped = ""
        dump(TLSIdentity(certificate: "c", privateKey: "hunter2"), to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }
}
