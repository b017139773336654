import NIOCore
import Testing
import WSMCore

@testable import WSMRedis

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite(.needsRedis, .timeLimit(.minutes(2)))
struct EmbeddedRedisTests {
    @Test("It answers on its port, and stop() leaves neither process nor folder")
    func startAndStop() async throws {
        let redis = try await EmbeddedRedis.start()
        let pid = try #require(await redis.pid)
        #expect(redis.url.host == "127.0.0.1")
        let connection = try await connect(redis.url)
        #expect(try await connection.send("PING").get() == .status("PONG"))
        await redis.stop()
        #expect(!isAlive(pid))
        #expect(!exists(redis.folder))
        #expect(await redis.pid == nil)
        await redis.stop()
        await #expect(throws: RedisError.self) { try await redis.startAgain() }
    }

    @Test("It holds nothing open that this process has closed")
    func inheritsNothing() async throws {
        // As NIO's sockets are: without close-on-exec.
        var ends: [CInt] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        try await withRedis { _ in
            close(writing)
            try await eventually("the end of the file, while the server runs", within: .seconds(10)) {
                var byte: UInt8 = 0
                return read(reading, &byte, 1) == 0
            }
        }
    }

    @Test("It answers on a Unix socket")
    func unixSocket() async throws {
        try await withRedis(.init(listen: .unixSocket)) { redis in
            #expect(redis.url.unixSocketPath != nil)
            let parsed = try RedisURL(redis.url.description)
            #expect(parsed == redis.url)
            let connection = try await connect(parsed)
            #expect(try await connection.send("PING").get() == .status("PONG"))
            let answer = try await onThread {
                try BlockingRedisConnection(url: parsed, deadline: patience).send(RedisCommand("ECHO", "x"))
            }
            #expect(answer.text == "x")
        }
    }

    @Test("Killed and started again it has the same address and none of its data")
    func killAndStartAgain() async throws {
        try await withRedis { redis in
            let first = try #require(await redis.pid)
            let before = try await connect(redis.url)
            _ = try await before.send("SET", "key", "value").get()
            try await redis.kill()
            #expect(await redis.pid == nil)
            #expect(!isAlive(first))
            #expect(try await before.ended.get()?.code == .connectionLost)
            try await redis.startAgain()
            #expect(await redis.pid != first)
            let after = try await connect(redis.url)
            #expect(try await after.send("GET", "key").get() == .null)
        }
    }

    @Test("Without redis-server the error names make deps")
    func missingServer() async throws {
        let error = await #expect(throws: RedisError.self) {
            _ = try await EmbeddedRedis.start(.init(searchPath: "/nonexistent:/also-nonexistent"))
        }
        #expect(error?.code == .serverNotStarted)
        #expect(error?.message.contains("make deps") == true)
    }

    @Test("A server that does not come up shows the last lines of its log and leaves nothing")
    func badConfiguration() async throws {
        let parent = try TemporaryFolder()
        let error = await #expect(throws: RedisError.self) {
            _ = try await EmbeddedRedis.start(
                .init(configuration: ["no-such-directive yes"], temporaryFolder: parent.path))
        }
        #expect(error?.code == .serverNotStarted)
        #expect(error?.message.contains("no-such-directive") == true)
        #expect(parent.isEmpty)
    }

    @Test("A folder that cannot be made is named")
    func noFolder() async throws {
        let error = await #expect(throws: RedisError.self) {
            _ = try await EmbeddedRedis.start(.init(temporaryFolder: "/nonexistent"))
        }
        #expect(error?.message.contains("/nonexistent") == true)
    }

    @Test(
        "When the owner is killed with kill -9, neither redis-server nor folder is left, whatever the server is",
        arguments: [([], ""), ([], "cluster-enabled yes"), (["--sentinel"], "sentinel monitor m 127.0.0.1 1 1")])
    func ownerIsKilled(_ arguments: [String], _ line: String) async throws {
        // The owner is a shell that holds the only other end of the supervisor's input, as this process does.
        let parent = try TemporaryFolder()
        let server = try RedisServerFiles.findServer(searchPath: nil)
        let port = try FreePort.choose(withFreePortAt: 10_000)
        let owner = try OwnerProcess(
            script: """
                mkfifo "$1/input" "$1/output"
                parent=$1 server=$2 port=$3 line=$4
                shift 4
                setsid /bin/sh -c "$SUPERVISOR" wsmlab-redis "$parent/server" "$server" "$@" \
                    <"$parent/input" >"$parent/output" 2>/dev/null &
                set -- "$parent"
                exec 7>"$1/input" 8<"$1/output"
                read -r folder <&8
                printf 'port %s\\nunixsocket %s/redis.sock\\nsave ""\\ndir %s\\n%s\\n' \
                    "$port" "$folder" "$folder" "$line" >"$folder/redis.conf"
                echo start >&7
                read -r server <&8
                echo "$folder $server" >"$1/started.tmp"
                mv "$1/started.tmp" "$1/started"
                exec sleep 1000
                """, arguments: [parent.path, server, "\(port)", line] + arguments, supervisor: RedisSupervisor.script)
        defer { owner.kill() }
        try await eventually("the owner's redis-server") { exists("\(parent.path)/started") }
        let words = try parent.read("started").split(whereSeparator: \.isWhitespace)
        let folder = String(try #require(words.first))
        let pid = try #require(words.last.flatMap { Int32($0) })
        try await eventually("the server's socket") { RedisServerFiles.answers(socket: "\(folder)/redis.sock") }
        #expect(isAlive(pid))
        owner.kill()
        try await eventually("the end of the server") { !isAlive(pid) }
        try await eventually("the end of its folder") { !exists(folder) }
    }

    @Test("The end of this process's socket is what ends the server, and no child process holds it open")
    func socketIsPrivate() async throws {
        let redis = try await EmbeddedRedis.start()
        let pid = try #require(await redis.pid)
        // Started while the socket is open, it would inherit the socket if that were not closed on exec.
        let child = try OwnerProcess(script: "exec sleep 1000", arguments: [], supervisor: "")
        defer { child.kill() }
        await redis.stop()
        #expect(!isAlive(pid))
        #expect(!exists(redis.folder))
        #expect(isAlive(child.pid))
    }

    @Test("A dropped owner ends its server too")
    func deinitialised() async throws {
        var redis: EmbeddedRedis? = try await EmbeddedRedis.start()
        let pid = try #require(await redis?.pid)
        let folder = try #require(redis?.folder)
        redis = nil
        try await eventually("the end of the server") { !isAlive(pid) && !exists(folder) }
    }

    @Test("A chosen port lies below the ports of outgoing connections")
    func freePort() throws {
        let ports = try (0..<20).map { _ in try FreePort.choose() }
        #expect(ports.allSatisfy { $0 >= 10_240 && $0 < 32_768 })
    }
}
