import NIOCore
import Testing
import WSMCore

@testable import WSMRedis

@Suite
struct TopologyParserTests {
    private let asked = RedisURL(address: .tcp(host: "10.0.0.1", port: 7000), username: "u", password: "p", database: 3)

    private func text(_ words: String) -> RedisReply { .string(ByteBuffer(string: words)) }

    private func node(_ host: String, _ port: Int64) -> RedisReply {
        .array([text(host), .integer(port), text("id"), .array([])])
    }

    private func range(_ first: Int64, _ last: Int64, _ node: RedisReply) -> RedisReply {
        .array([.integer(first), .integer(last), node, self.node("10.0.0.9", 1)])
    }

    // MARK: Slots

    @Test("The checksum and the slots are those of the specification and of redis-cli")
    func slots() {
        #expect(CRC16.checksum(Array("123456789".utf8)) == 0x31c3)
        #expect(HashSlot(of: ChannelName("foo")).number == 12_182)
        #expect(HashSlot(of: ChannelName("events")).number == HashSlot(of: ChannelName("a{events}b")).number)
        #expect(HashSlot(of: ChannelName("")).number == 0)
    }

    @Test(
        "Only the first braces with something between are a hash tag",
        arguments: [
            ("{user1000}.following", "user1000"), ("foo{}{bar}", "foo{}{bar}"), ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"), ("{", "{"), ("}x{", "}x{"), ("a{b", "a{b"), ("{}", "{}"),
        ])
    func hashTags(_ name: String, _ hashed: String) {
        #expect(HashSlot(of: ChannelName(name)).number == Int(CRC16.checksum(hashed.utf8)) % 16_384)
    }

    // MARK: Redirections

    @Test("A redirection names slot, host and port, the host also as IPv6 or not at all")
    func redirections() throws {
        let plain = try #require(RedisRedirection("MOVED 3999 127.0.0.1:6381"))
        #expect(plain.slot.number == 3999)
        #expect(plain.host == "127.0.0.1")
        #expect(plain.port == 6381)
        #expect(RedisRedirection("MOVED 0 ::1:6381")?.host == "::1")
        #expect(RedisRedirection("MOVED 16383 :6381").map { $0.host == nil } == true)
    }

    @Test(
        "What is no redirection is none, whatever it holds",
        arguments: [
            "MOVED", "MOVED ", "MOVED 1", "MOVED 16384 h:1", "MOVED -1 h:1", "MOVED +1 h:1", "MOVED x h:1",
            "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536", "MOVED 1 h:99999999999999999999",
            "MOVED 99999999999999999999 h:1", "MOVED 1 h:1 more", "MOVED  1 h:1", "MOVED 1 h\u{0}:1", "MOVED 1 a/b:1",
            "MOVED 1 u@h:1", "MOVED 1 h:１", "ASK 1 h:1", "moved 1 h:1", "",
            "MOVED 1 \(String(repeating: "h", count: 254)):1",
        ])
    func badRedirections(_ message: String) {
        #expect(RedisRedirection(message) == nil)
        let error = RedisError.byServer(message)
        #expect(error.redirection == nil)
        #expect(error.code == (RedisRedirection.isRedirection(message) ? .protocolViolation : .serverError))
    }

    @Test("Redis' own words tell what can be tried again")
    func unavailable() {
        #expect(RedisError.byServer("CLUSTERDOWN Hash slot not served").code == .unavailable)
        #expect(RedisError.byServer("TRYAGAIN Multiple keys").code == .unavailable)
        #expect(RedisError.byServer("ERR unknown command").code == .serverError)
        #expect(RedisError.byServer("MOVED 1 h:1").code == .redirected)
    }

    // MARK: Slot tables

    @Test("The owner of a slot is the master of its range, reached with the login of the node that was asked")
    func slotTable() throws {
        let reply = RedisReply.array([
            range(0, 99, node("10.0.0.2", 7001)), range(100, 100, node("", 7002)), range(101, 101, node("?", 7003)),
            range(102, 102, .array([.null, .integer(7004)])),
        ])
        let table = try SlotTable(reply, askedAt: asked)
        func owner(_ number: Int) throws -> RedisURL? { table.owner(of: try #require(HashSlot(number))) }
        let first = RedisURL(address: .tcp(host: "10.0.0.2", port: 7001), username: "u", password: "p")
        #expect(try owner(0) == first)
        #expect(try owner(99) == first)
        for (slot, port) in [(100, 7002), (101, 7003), (102, 7004)] {
            #expect(try owner(slot)?.host == "10.0.0.1")
            #expect(try owner(slot)?.port == port)
        }
        #expect(try owner(103) == nil)
        #expect(HashSlot(16_384) == nil)
        #expect(HashSlot(-1) == nil)
    }

    @Test("A redirection changes one slot")
    func moveSlot() throws {
        var table = try SlotTable(.array([range(0, 16_383, node("10.0.0.2", 7001))]), askedAt: asked)
        try table.move(try #require(RedisRedirection("MOVED 5 :7009")), askedAt: asked)
        #expect(table.owner(of: try #require(HashSlot(5)))?.port == 7009)
        #expect(table.owner(of: try #require(HashSlot(6)))?.port == 7001)
    }

    @Test("A list of slots that cannot be one is a typed error")
    func badSlotTables() {
        let good = node("h", 1)
        let bad: [RedisReply] = [
            .null, .integer(1), .status("OK"), .array([.null]), .array([.array([])]),
            .array([.array([.integer(0), .integer(1)])]), .array([range(0, 16_384, good)]),
            .array([range(-1, 1, good)]),
            .array([range(2, 1, good)]), .array([range(.min, .max, good)]), .array([range(.max, .min, good)]),
            .array([range(0, 1, node("h", 0))]), .array([range(0, 1, node("h", 65_536))]),
            .array([range(0, 1, node("h", .min))]), .array([range(0, 1, node("a b", 1))]),
            .array([range(0, 1, node("h\n", 1))]), .array([range(0, 1, .array([.integer(1), .integer(1)]))]),
            .array([range(0, 1, .array([]))]), .array([range(0, 1, .null)]),
            .array([.array([text("0"), text("1"), good])]),
            .array(Array(repeating: range(0, 0, good), count: 16_385)),
        ]
        for reply in bad {
            let error = #expect(throws: RedisError.self) { try SlotTable(reply, askedAt: asked) }
            #expect(error?.code == .protocolViolation)
        }
    }

    // MARK: Sentinels

    @Test("A sentinel's answer is an address, nothing, or a typed error")
    func sentinelAnswers() throws {
        let good = RedisReply.array([text("10.0.0.7"), text("6379")])
        let master = try SentinelAnswer.master(good, named: "m", by: asked)
        #expect(master == RedisURL(address: .tcp(host: "10.0.0.7", port: 6379)))
        let bad: [(RedisReply, RedisError.Code)] = [
            (.null, .serverError), (.error("ERR no"), .serverError), (.array([]), .protocolViolation),
            (.array([text("h")]), .protocolViolation), (.array([text("h"), text("0")]), .protocolViolation),
            (.array([text("h"), text("65536")]), .protocolViolation),
            (.array([text(""), text("1")]), .protocolViolation),
            (.array([text("h h"), text("1")]), .protocolViolation), (.integer(1), .protocolViolation),
            (.array([.integer(1), .integer(1)]), .protocolViolation),
        ]
        for (reply, code) in bad {
            let error = #expect(throws: RedisError.self) { try SentinelAnswer.master(reply, named: "m", by: asked) }
            #expect(error?.code == code)
        }
    }

    @Test("A sentinel's word of a new master is an address, or no word")
    func switchedMaster() {
        let expected = RedisURL(address: .tcp(host: "10.0.0.8", port: 6380))
        #expect(SentinelWatch.newMaster("m 10.0.0.7 6379 10.0.0.8 6380", named: "m") == expected)
        for text in [
            "", "m", "other 10.0.0.7 6379 10.0.0.8 6380", "m 10.0.0.7 6379 10.0.0.8", "m a 1 b 0", "m a 1 b 65536",
            "m a 1 b x", "m a 1  2", "m a 1 b 2 more", "m a 1 u@b 2", "m a 1 b 99999999999999999999",
        ] {
            #expect(SentinelWatch.newMaster(text, named: "m") == nil, "\(text)")
        }
    }

    @Test("The master that a sentinel told of is believed as long as it is listened to")
    func formerMaster() throws {
        let router = RedisRouter(.sentinel([asked], master: "m"))
        let (old, new) = (asked.server(host: "h", port: 1), asked.server(host: "h", port: 2))
        #expect(!router.isFormerMaster(old))
        router.masterChanged(to: new)
        #expect(router.isFormerMaster(old))
        #expect(!router.isFormerMaster(new))
        let stale = RedisReply.array([text("h"), text("1")])
        let error = #expect(throws: RedisError.self) { try router.master(in: stale, named: "m", by: asked) }
        #expect(error?.code == .notMaster)
        router.masterChanged(to: nil)
        #expect(!router.isFormerMaster(old))
        #expect(try router.master(in: stale, named: "m", by: asked).port == 1)
        let single = RedisRouter(.single(asked))
        single.masterChanged(to: new)
        #expect(!single.isFormerMaster(old))
    }

    @Test("Only what says that it is a master passes for one")
    func roles() {
        let bad: [(RedisReply, RedisError.Code)] = [
            (.array([text("slave"), text("h"), .integer(1)]), .notMaster), (.array([text("sentinel")]), .notMaster),
            (.array([]), .notMaster), (.status("master"), .notMaster), (.null, .notMaster),
            (.error("ERR unknown command"), .serverError), (.error("NOAUTH"), .authenticationFailed),
        ]
        for (reply, code) in bad {
            var handshake = RedisHandshake(url: asked.server(host: "h", port: 1), clientName: nil, requiresMaster: true)
            let error = #expect(throws: RedisError.self) {
                for _ in handshake.commands.dropLast() { try handshake.receive(.status("OK")) }
                try handshake.receive(reply)
            }
            #expect(error?.code == code)
        }
    }

    // MARK: The view of a node

    @Test("A node's view of the cluster is complete when all nodes are known and reached")
    func clusterView() throws {
        let whole = """
            a1 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-5460
            b2 127.0.0.1:3@4 master - 0 1 2 connected 5461-10922

            """
        #expect(try #require(ClusterView(whole)).missing(of: 2) == nil)
        #expect(try #require(ClusterView(whole)).missing(of: 3) != nil)
        for flag in ["handshake", "master,fail?", "master,fail", "master,noaddr"] {
            let text = whole.replacing("1@2 myself,master", with: "1@2 \(flag)")
            #expect(try #require(ClusterView(text)).missing(of: 2) != nil)
        }
        let cut = whole.replacing("2 connected", with: "2 disconnected")
        #expect(try #require(ClusterView(cut)).missing(of: 2) != nil)
        #expect(ClusterView("too few words") == nil)
        #expect(ClusterView("")?.nodes.isEmpty == true)
    }
}
