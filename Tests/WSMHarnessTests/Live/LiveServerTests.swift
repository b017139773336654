import Synchronization
import Testing
import WSMCore

@testable import WSMHarness

@Suite("The server of the live page", .serialized, .timeLimit(.minutes(3)))
struct LiveServerTests {
    static let page = "<!DOCTYPE html><p>the page</p>"

    /// Serves while `body` runs.
    func serving(
        greeting: [String] = ["hello"], limits: LiveServer.Limits = .init(), _ body: (LiveServer) async throws -> Void
    ) async throws {
        let content = LiveServer.Content(page: Self.page, script: "'sha256-x'", greeting: { greeting })
        let server = try await LiveServer.start(port: 0, content: content, limits: limits)
        do { try await body(server) } catch {
            await server.finish(last: nil, deadline: .milliseconds(200))
            throw error
        }
        await server.finish(last: nil, deadline: .milliseconds(200))
    }

    /// What `request` gets, once the server has closed.
    func answer(_ server: LiveServer, _ request: String) async throws -> RawPeer {
        let peer = try await RawPeer.connect(port: server.port)
        peer.send(request)
        try await eventually("the answer to \(request.prefix(40))") { peer.isClosed }
        return peer
    }

    /// A viewer that has been greeted.
    func viewer(_ server: LiveServer, origin: String? = nil) async throws -> RawPeer {
        let peer = try await RawPeer.connect(port: server.port)
        peer.send(RawPeer.opening(origin: origin))
        try await eventually("the greeting") { peer.texts.count == 1 }
        return peer
    }

    @Test("The page comes whole, closed to what is from elsewhere, and only to GET and HEAD")
    func page() async throws {
        try await serving { server in
            let peer = try await answer(server, "GET /?x HTTP/1.1\r\nHost: localhost:\(server.port)\r\n\r\n")
            #expect(peer.status == 200 && String(decoding: peer.body, as: UTF8.self) == Self.page)
            let policy = try #require(
                peer.text.split(separator: "\r\n").first { $0.hasPrefix("Content-Security-Policy") })
            #expect(
                policy.contains("default-src 'none'; script-src 'sha256-x';") && policy.contains("connect-src 'self'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            let head = try await answer(server, "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(head.status == 200 && head.body.isEmpty && head.text.contains("\(Self.page.utf8.count)"))
        }
    }

    @Test(
        "What is not for it gets its status and nothing of the page",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403), ("GET / HTTP/1.1\r\n\r\n", 403),
            ("GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 403),
            ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", 403), ("GET / HTTP/1.0\r\n\r\n", 403),
            ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET //etc HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\nx", 405),
            ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405), ("\u{0}\u{1}\u{2} nonsense\r\n\r\n", 400),
            ("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
            (RawPeer.opening(host: "evil.example"), 403), (RawPeer.opening(host: nil), 403),
            (RawPeer.opening(origin: "http://evil.example"), 403), (RawPeer.opening(origin: "null"), 403),
            (RawPeer.opening(origin: "http://127.0.0.1:1"), 403), (RawPeer.opening(origin: "https://127.0.0.1"), 403),
            (RawPeer.opening(path: "/other"), 404),
        ])
    func refused(request: String, status: Int) async throws {
        try await serving { server in
            let peer = try await answer(server, request)
            #expect(peer.status == status, "\(peer.text.prefix(300))")
            #expect(!peer.text.contains("the page<") && peer.text.utf8.count < 1000)
            try await eventually("the connection to be forgotten") { await server.load() == .init() }
        }
    }

    @Test("A head of 200 kB is cut off, and its sender gets nothing of the page")
    func largeHead() async throws {
        try await serving { server in
            let line = "X: \(String(repeating: "y", count: 990))\r\n"
            let peer = try await answer(
                server, "GET / HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: line, count: 200) + "\r\n")
            #expect(peer.bytes.isEmpty)
            // What a viewer says has a bound for each frame, and none for all.
            let viewer = try await viewer(server)
            for _ in 0..<100 { viewer.send(RawPeer.frame(1, Array(repeating: 65, count: 1000))) }
            viewer.send(RawPeer.frame(9, [1]))
            try await eventually("the pong") { viewer.frames.contains { $0.opcode == 10 } }
        }
    }

    @Test("Half a request, or none, is cut at the deadline")
    func halfRequests() async throws {
        var limits = LiveServer.Limits()
        limits.request = .milliseconds(300)
        try await serving(limits: limits) { server in
            let start = MonotonicInstant.now()
            for half in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
                let peer = try await RawPeer.connect(port: server.port)
                peer.send(half)
                try await eventually("the cut after \(half.debugDescription)") { peer.isClosed }
                #expect(peer.bytes.isEmpty)
            }
            #expect(.now() - start >= .milliseconds(900))
            // Who has become a viewer stays.
            let viewer = try await viewer(server)
            try await Task.sleep(for: .milliseconds(500))
            server.send { "still there" }
            try await eventually("the text") { viewer.texts.last == "still there" }
        }
    }

    @Test("A viewer is greeted, gets what is sent, and its pings are answered; its own words are dropped")
    func viewing() async throws {
        try await serving { server in
            let first = try await viewer(server, origin: "http://127.0.0.1")
            #expect(first.texts == ["hello"])
            first.send(RawPeer.frame(9, [7, 8]) + RawPeer.frame(1, Array("what?".utf8)) + RawPeer.frame(10))
            try await eventually("the pong") { first.frames.contains { $0.opcode == 10 && $0.payload == [7, 8] } }
            server.send { "one" }
            try await eventually("the text") { first.texts == ["hello", "one"] }
            first.send(RawPeer.frame(8, [3, 232]))
            try await eventually("the close") { first.isClosed }
            #expect(first.closeCode == 1000)
            try await eventually("nobody") { await server.load() == .init() }
        }
    }

    @Test("Nothing is made while nobody looks")
    func lazy() async throws {
        try await serving { server in
            let made = Mutex(0)
            let make: @Sendable () -> String = {
                made.withLock { $0 += 1 }
                return "text"
            }
            for _ in 0..<100 { server.send(make) }
            #expect(await server.load().viewers == 0)
            #expect(made.withLock { $0 } == 0)
            let first = try await viewer(server)
            let second = try await viewer(server)
            server.send(make)
            try await eventually("the text") { first.texts.count == 2 && second.texts.count == 2 }
            #expect(made.withLock { $0 } == 1)
        }
    }

    @Test(
        "A breach of the protocol closes with its code",
        arguments: [
            (RawPeer.frame(1, [65], isMasked: false), 1002),
            (RawPeer.frame(1, Array(repeating: 65, count: 2000)), 1009),
            (RawPeer.frame(9, Array(repeating: 65, count: 200)), 1002),
        ])
    func breaches(frame: [UInt8], code: Int) async throws {
        try await serving { server in
            let peer = try await viewer(server)
            peer.send(frame)
            try await eventually("the close") { peer.isClosed }
            #expect(peer.closeCode == code)
            try await eventually("nobody") { await server.load() == .init() }
        }
    }

    @Test("Of 200 connections at once as many stay as may, and the page is there again when they are gone")
    func crowd() async throws {
        try await serving { server in
            var peers: [RawPeer] = []
            for _ in 0..<200 { peers.append(try await RawPeer.connect(port: server.port)) }
            let all = peers
            try await eventually("the surplus to be closed") { all.count(where: \.isClosed) == 136 }
            #expect(await server.load().connections == 64)
            for peer in peers { peer.close() }
            try await eventually("all to be gone") { await server.load().connections == 0 }
            let peer = try await answer(server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(peer.status == 200)
        }
    }

    @Test("A viewer that never reads holds one text and what the kernel has not taken, and loses only old ones")
    func neverReads() async throws {
        let large = String(repeating: "x", count: 64 << 10)
        try await serving { server in
            let idle = try await RawPeer.connect(port: server.port, reads: false)
            // And pings all the while, without ever reading a pong.
            idle.send(RawPeer.opening())
            try await eventually("the viewer") { await server.load().viewers == 1 }
            let reader = try await viewer(server)
            var most = LiveViewers.Load()
            for number in 1...3000 {
                server.send { "\(number) \(large)" }
                idle.send(RawPeer.frame(9, Array(repeating: 1, count: 125)))
                guard number % 100 == 0 else { continue }
                let load = await server.load()
                most.waitingTexts = max(most.waitingTexts, load.waitingTexts)
                most.bufferedBytes = max(most.bufferedBytes, load.bufferedBytes)
            }
            // One that waits for each viewer, and one on its way beside what else the channel takes until it is full.
            #expect((1...2).contains(most.waitingTexts))
            #expect(most.bufferedBytes > 0 && most.bufferedBytes < 2 * ((64 + 64 + 8) << 10), "\(most)")
            try await eventually("the reader to have the newest") { reader.texts.last?.hasPrefix("3000 ") == true }
            let start = MonotonicInstant.now()
            await server.finish(last: "end", deadline: .milliseconds(800))
            #expect(.now() - start < .seconds(5))
            #expect(reader.texts.last == "end" && reader.closeCode == 1000)
        }
    }

    @Test("At the end the last text goes out, the sockets are closed with 1000, and the port is free again")
    func finish() async throws {
        try await serving { server in
            let viewers = [try await viewer(server), try await viewer(server)]
            let waiting = try await RawPeer.connect(port: server.port)
            let finishing = Task { await server.finish(last: "end", deadline: .seconds(20)) }
            try await eventually("the ends") { viewers.allSatisfy { $0.closeCode == 1000 } }
            for viewer in viewers { viewer.send(RawPeer.frame(8, [3, 232])) }
            await finishing.value
            try await eventually("all to be closed") { waiting.isClosed && viewers.allSatisfy(\.isClosed) }
            for viewer in viewers { #expect(viewer.texts.last == "end") }
            // Late and once more: nothing happens.
            server.send { "too late" }
            await server.finish(last: "again", deadline: .seconds(20))
            let again = try await LiveServer.start(
                port: server.port, content: .init(page: "", script: "'none'", greeting: { [] }))
            await again.finish(last: nil, deadline: .milliseconds(100))
        }
    }

    @Test("A taken port is an error of the environment that says what to do")
    func taken() async throws {
        try await serving { server in
            let error = await #expect(throws: HarnessError.self) {
                _ = try await LiveServer.start(
                    port: server.port, content: .init(page: "", script: "'none'", greeting: { [] }))
            }
            #expect(error?.code == .portUnavailable && error?.code.exitCode == .environment)
            #expect(error?.message.contains("--live 0") == true && error?.message.contains("\(server.port)") == true)
        }
    }
}

@Suite("Who may talk to a server of this machine")
struct LocalHostTests {
    @Test(
        "Only this machine's own names, with any port",
        arguments: [
            ("localhost", true), ("LOCALHOST:80", true), ("127.0.0.1:65535", true), ("[::1]:8080", true),
            ("[::1]", true),
            ("", false), (":80", false), ("localhost:", false), ("localhost:a", false), ("localhost:123456", false),
            ("localhost.evil.example", false), ("127.0.0.1.nip.io", false), ("[::1", false), ("[::2]", false),
            ("[::1]x", false), ("evil@localhost", false), ("localhost:80:80", false), ("127.0.0.2", false),
            ("localhost:٣", false),
        ])
    func hosts(host: String, isLocal: Bool) {
        #expect(LocalHost.isLocal(host) == isLocal)
    }

    @Test("A page from elsewhere may not open the socket, a program that sends no origin may")
    func origins() {
        #expect(LocalHost.isOwnPage(origin: nil, host: "localhost:1"))
        #expect(LocalHost.isOwnPage(origin: "http://LocalHost:1", host: "localhost:1"))
        for origin in [
            "http://localhost:2", "http://127.0.0.1:1", "https://localhost:1", "null", "", "http://localhost:1/",
        ] {
            #expect(!LocalHost.isOwnPage(origin: origin, host: "localhost:1"), "\(origin)")
        }
    }
}
