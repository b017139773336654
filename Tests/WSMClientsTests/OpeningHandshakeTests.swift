import Testing

@testable import WSMClients

@Suite("The opening handshake of a client")
struct OpeningHandshakeTests {
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    /// The answer to ``key`` in RFC 6455, section 1.3.
    private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    private func handshake(_ subprotocols: [String] = []) -> OpeningHandshake {
        let endpoint = ClientEndpoint(host: "127.0.0.1", port: 8080, path: "/events?x=1", subprotocols: subprotocols)
        return OpeningHandshake(endpoint, key: Self.key)
    }

    private func answer(
        status: String = "101 Switching Protocols", accept: String = accept, upgrade: String = "websocket",
        connection: String = "Upgrade", headers: String = ""
    ) -> [UInt8] {
        Array(
            ("HTTP/1.1 \(status)\r\nUpgrade: \(upgrade)\r\nConnection: \(connection)\r\n"
                + "Sec-WebSocket-Accept: \(accept)\r\n\(headers)\r\n").utf8)
    }

    /// What comes of the parts of an answer, one read each.
    private func outcome(_ handshake: OpeningHandshake, _ parts: [[UInt8]]) -> OpeningHandshake.Outcome {
        var handshake = handshake
        var last = OpeningHandshake.Outcome.unfinished
        for part in parts {
            guard last == .unfinished else { break }
            last = part.withUnsafeBytes { handshake.take($0) }
        }
        return last
    }

    @Test("The request has what RFC 6455 asks for, and the subprotocols in their order")
    func request() {
        #expect(
            String(decoding: handshake(["b", "a"]).request, as: UTF8.self)
                == "GET /events?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nSec-WebSocket-Protocol: b, a\r\n"
                + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: \(Self.key)\r\n"
                + "Sec-WebSocket-Version: 13\r\n\r\n")
    }

    @Test("An answer is taken at every split point, and the frames behind it are left")
    func splitPoints() {
        let head = answer(headers: "Sec-WebSocket-Protocol: a\r\nServer: x y\r\n")
        let frame: [UInt8] = [0x81, 0x01, 0x78]
        let whole = head + frame
        for split in 1..<whole.count {
            let used = split < head.count ? head.count - split : head.count
            #expect(
                outcome(handshake(["a"]), [Array(whole[..<split]), Array(whole[split...])]) == .accepted(used: used),
                "cut at \(split)")
        }
        #expect(outcome(handshake(["a"]), whole.map { [$0] }) == .accepted(used: 1))
    }

    @Test("Words of a header may have any case, and stand in a list")
    func lenience() {
        let loud = answer(upgrade: "WebSocket", connection: "keep-alive, UPGRADE")
        #expect(outcome(handshake(), [loud]) == .accepted(used: loud.count))
    }

    @Test("What is wrong with an answer is named")
    func refusals() {
        let bad = OpeningHandshake.Outcome.refused("not a WebSocket handshake")
        #expect(outcome(handshake(), [answer(status: "403 Forbidden")]) == .refused("HTTP 403"))
        #expect(outcome(handshake(), [answer(status: "999 x")]) == .refused("HTTP status out of range"))
        #expect(outcome(handshake(), [answer(accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=")]) == bad)
        #expect(outcome(handshake(), [answer(upgrade: "h2c")]) == bad)
        #expect(outcome(handshake(), [answer(connection: "close")]) == bad)
        #expect(outcome(handshake(), [answer(headers: "Sec-WebSocket-Extensions: permessage-deflate\r\n")]) == bad)
        #expect(outcome(handshake(["a"]), [answer(headers: "Sec-WebSocket-Protocol: b\r\n")]) == bad)
        #expect(outcome(handshake(), [answer(headers: "no colon\r\n")]) == bad)
        #expect(outcome(handshake(), [answer(headers: ": no name\r\n")]) == bad)
        #expect(outcome(handshake(), [answer(headers: "a name: with a blank\r\n")]) == bad)
        #expect(outcome(handshake(), [Array("HTTP/1.1 1x1 x\r\n\r\n".utf8)]) == bad)
    }

    @Test("What is no HTTP is refused by its first bytes, and a head without an end at its limit")
    func noHTTP() {
        let bad = OpeningHandshake.Outcome.refused("not a WebSocket handshake")
        #expect(outcome(handshake(), [Array("SSH-2.0".utf8)]) == bad)
        #expect(outcome(handshake(), [[0x48, 0xFF]]) == bad)
        let endless = Array("HTTP/1.1 101 x\r\n".utf8) + Array(repeating: 0x61, count: OpeningHandshake.headLimit)
        #expect(outcome(handshake(), [endless]) == bad)
        #expect(outcome(handshake(), [Array(endless.prefix(OpeningHandshake.headLimit))]) == .unfinished)
    }
}
