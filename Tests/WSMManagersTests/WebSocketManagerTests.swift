import Testing
import WSMCore
import WSMManagers

@Suite("The WebSocketManager facade (websocket/websocket_manager.py)")
struct WebSocketManagerTests {
    @Test(
        "The backend is picked by the broadcaster URL's scheme",
        arguments: [
            ("redis://localhost:6379", ManagerKind.broadcast), ("rediss://host/0", .broadcast),
            ("REDIS://host", .broadcast), ("memory://", .memory), ("", .memory), ("postgres://x", .memory),
        ])
    func backend(url: String, kind: ManagerKind) {
        #expect(ManagerKind(broadcasterURL: url) == kind)
    }

    @Test("When WebSockets are disabled every call is a no-op that is counted", arguments: ManagerKind.allCases)
    func disabled(kind: ManagerKind) {
        var script = Script(WebSocketManager<String>(enabled: false, kind: kind, policies: .hardened))
        script.tell(.clientOpened(client(0), .events), expecting: [])
        script.tell(publish(1, "a"), expecting: [.broadcastDone(BroadcastID(1), .refused)])
        script.tell(.shutdown, expecting: [])
        #expect(script.machine.ignoredCalls == 3)
        #expect(!script.machine.enabled)
    }

    @Test("An enabled facade passes everything to its backend")
    func enabled() {
        var script = Script(WebSocketManager<String>(kind: .memory, policies: .hardened))
        script.tell(.clientOpened(client(0), .events), expecting: [.admit(client(0), .events)])
        #expect(script.machine.clientCount == 1)
        #expect(script.machine.enabled)
        #expect(script.machine.ignoredCalls == 0)
    }
}
