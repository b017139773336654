import Testing

@testable import WSMRedis

struct RedisURLTests {
    @Test(
        "Every form of a URL is read",
        arguments: [
            ("redis://localhost", "redis://localhost:6379/0"),
            ("REDIS://localhost/", "redis://localhost:6379/0"),
            ("redis://localhost:7000/3", "redis://localhost:7000/3"),
            ("redis://localhost?db=4", "redis://localhost:6379/4"),
            ("redis://localhost/4?db=4", "redis://localhost:6379/4"),
            ("redis://:@localhost", "redis://localhost:6379/0"),
            ("redis://:secret@localhost", "redis://:***@localhost:6379/0"),
            ("redis://user:secret@localhost:1/1", "redis://user:***@localhost:1/1"),
            ("redis://us%20er@localhost", "redis://us%20er@localhost:6379/0"),
            ("redis://[::1]:7000/2", "redis://[::1]:7000/2"),
            ("redis://[2001:db8::1]", "redis://[2001:db8::1]:6379/0"),
            ("REDISS://localhost", "rediss://localhost:6379/0"),
            ("rediss://user:secret@h:1/2", "rediss://user:***@h:1/2"),
            ("rediss://h/1?ssl_ca_certs=/a%20b/ca.pem", "rediss://h:6379/1?ssl_ca_certs=/a%20b/ca.pem"),
            ("rediss://h?db=1&ssl_ca_certs=ca.pem", "rediss://h:6379/1?ssl_ca_certs=ca.pem"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("unix:///run/redis.sock?db=3", "unix:///run/redis.sock?db=3"),
            ("redis:///run/redis.sock", "unix:///run/redis.sock"),
            ("redis+unix:///run/a%20b.sock?db=1", "unix:///run/a%20b.sock?db=1"),
            ("unix://user:secret@/run/redis.sock", "unix://user:***@/run/redis.sock"),
        ])
    func valid(_ text: String, _ description: String) throws {
        let url = try RedisURL(text)
        #expect(url.description == description)
        #expect(String(reflecting: url) == description)
        if url.password == nil { #expect(try RedisURL(url.description) == url) }
    }

    @Test("The parts of a URL are percent-decoded")
    func parts() throws {
        let url = try RedisURL("redis://me%40home:p%3A%2F%40%25%C3%A4@redis.example:6380/12")
        #expect(url.username == "me@home")
        #expect(url.password == "p:/@%ä")
        #expect(url.host == "redis.example")
        #expect(url.port == 6380)
        #expect(url.database == 12)
        #expect(url.unixSocketPath == nil)
        let socket = try RedisURL("unix://:pw@/tmp/r%3F.sock?db=2")
        #expect(socket.unixSocketPath == "/tmp/r?.sock")
        #expect(socket.password == "pw")
        #expect(socket.host == nil && socket.port == nil)
    }

    @Test(
        "Every bad URL is refused with its reason",
        arguments: [
            ("", .missingScheme), ("localhost:6379", .missingScheme), ("://x", .missingScheme),
            ("http://localhost", .unknownScheme), ("rediss:///run/redis.sock", .missingHost),
            ("rediss://", .missingHost), ("rediss://h?ssl_ca_certs=", .invalidOption),
            ("rediss://h?ssl_ca_certs=/a&ssl_ca_certs=/a", .invalidOption),
            ("rediss://h?ssl_cert_reqs=none", .invalidOption), ("redis://h?ssl_ca_certs=/a", .invalidOption),
            ("rediss://h?ssl_ca_certs=%zz", .invalidPercentEncoding),
            ("redis://", .missingHost), ("redis:///", .missingHost), ("redis:///0", .missingHost),
            ("redis://:6379", .missingHost), ("redis://user:secret@:6379", .missingHost), ("unix://", .missingHost),
            ("redis://::1:6379", .invalidHost), ("redis://[::1", .invalidHost), ("redis://[secret]", .invalidHost),
            ("redis://[]", .invalidHost),
            ("redis://h:", .invalidPort), ("redis://h:0", .invalidPort), ("redis://h:65536", .invalidPort),
            ("redis://h:secret", .invalidPort), ("redis://h:-1", .invalidPort), ("redis://[::1]x", .invalidPort),
            ("redis://h:99999999999999999999", .invalidPort), ("redis://:sec/ret@h:6379", .invalidCharacter),
            ("redis://h/secret", .invalidDatabase), ("redis://h/-1", .invalidDatabase),
            ("redis://h/1/2", .invalidDatabase),
            ("redis://h/99999999999999999999", .invalidDatabase), ("redis://h?db=", .invalidDatabase),
            ("redis://h?db", .invalidDatabase), ("redis://h/1?db=2", .invalidDatabase),
            ("redis://h?db=1&db=1", .invalidDatabase), ("redis://h?secret=1", .invalidOption),
            ("redis://h?db=1&x=y", .invalidOption),
            ("redis://:se%zzcret@h", .invalidPercentEncoding), ("redis://:secret%@h", .invalidPercentEncoding),
            ("redis://:secret%4@h", .invalidPercentEncoding), ("redis://:secret%ff@h", .invalidPercentEncoding),
            ("redis://h%00", .invalidPercentEncoding), ("redis://a b", .invalidCharacter),
            ("redis://h\n", .invalidCharacter), ("redis://:sec#ret@h", .invalidCharacter),
            ("unix://run/redis.sock", .invalidSocketPath), ("redis+unix://h:1/x", .invalidSocketPath),
            ("unix:///" + String(repeating: "x", count: 200), .invalidSocketPath),
        ] as [(String, RedisURLError.Code)])
    func invalid(_ text: String, _ code: RedisURLError.Code) throws {
        let error = try #require(throws: RedisURLError.self) { try RedisURL(text) }
        #expect(error.code == code, "\(error)")
        #expect(
            !error.message.contains("ecret@") && !error.message.contains("sec/ret")
                && !error.message.contains(":secret"))
        #expect(error.message.utf8.count > 20)
    }

    @Test("A password stands in no description, dump or error")
    func passwordIsHidden() throws {
        let url = try RedisURL("redis://user:hunter2@localhost")
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(url) \(String(reflecting: url)) \([url])".contains("hunter2"))
        let error = try #require(throws: RedisURLError.self) { try RedisURL("redis://user:hunter2@localhost:x") }
        #expect(!"\(error)".contains("hunter2"))
    }

    @Test("No text traps, however it is cut")
    func truncated() {
        let text = Array("redis+unix://us%41er:p%42w@[::1]:6379/a%20b?db=3&x#y".utf8)
        for start in text.indices {
            for end in start...text.count {
                _ = try? RedisURL(String(decoding: text[start..<end], as: UTF8.self))
            }
        }
    }
}
