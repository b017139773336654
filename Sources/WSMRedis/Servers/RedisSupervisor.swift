import CHiredis
import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A small `/bin/sh` process that owns a redis-server and its folder, and ends both when told to or when we are gone.
///
/// It runs in a session of its own, so no Ctrl-C reaches it, and reads words from a socket whose other end only this process
/// holds: when we die, however that happens, it reads the end of the file. One conversation at a time.
final class RedisSupervisor: Sendable {
    /// `$1` is the folder to make, `$2` the redis-server, the rest are the server's arguments.
    ///
    /// It answers each word with one line.
    ///
    /// Before it kills, it makes sure that the number still belongs to its child, where /proc tells (a server that died by
    /// itself may have been reaped and its number given away).
    static let script = """
        trap '' INT TERM HUP QUIT PIPE
        dir=$1
        mkdir -m 700 "$dir" || exit 1
        echo "$dir"
        server=$2
        shift 2
        child=
        alive() {
            [ -n "$child" ] || return 1
            if [ -r /proc/self/stat ]; then
                read -r stat 2>/dev/null <"/proc/$child/stat" || return 1
                stat=${stat##*) }
                state=${stat%% *}
                parent=${stat#* }
                [ "$state" != Z ] && [ "${parent%% *}" = "$$" ]
            else
                kill -0 "$child" 2>/dev/null
            fi
        }
        end() {
            if alive; then kill -KILL "$child"; fi
            [ -z "$child" ] || wait "$child"
            child=
        }
        while read -r word; do
            case $word in
            start)
                end
                "$server" "$dir/redis.conf" "$@" </dev/null >>"$dir/redis.log" 2>&1 &
                child=$!
                echo "$child" ;;
            kill) end; echo killed ;;
            pause) if alive; then kill -STOP "$child"; echo paused; else echo dead; fi ;;
            resume) if alive; then kill -CONT "$child"; echo resumed; else echo dead; fi ;;
            check) if alive; then echo alive; else echo dead; fi ;;
            esac
        done
        end
        rm -rf "$dir"
        """

    /// How long the supervisor may take for an answer; it only starts and kills processes.
    private static let answerDeadline = TimeSpan.seconds(20)

    /// Our end of the socket that is the supervisor's input and output.
    private let socket: CInt
    let pid: pid_t

    private init(socket: CInt, pid: pid_t) {
        self.socket = socket
        self.pid = pid
    }

    /// Starts a supervisor.
    ///
    /// It makes its folder inside `parent`; the first line that it says is the folder's path.
    static func start(
        server: String, parent: String, arguments: [String] = []
    ) throws(RedisError) -> RedisSupervisor {
        let (ours, theirs) = try makeSockets()
        defer { close(theirs) }
        do throws(RedisError) {
            var random = SystemRandomNumberGenerator()
            let folder = "\(parent)/wsmlab-redis.\(String(random.next(), radix: 36).prefix(8))"
            let words = ["/bin/sh", "-c", script, "wsmlab-redis", folder, server] + arguments
            let pid = try spawn(words, socket: theirs)
            return RedisSupervisor(socket: ours, pid: pid)
        } catch {
            close(ours)
            throw error
        }
    }

    /// Says `word` and returns the answer's line.
    func ask(_ word: String) async throws(RedisError) -> String {
        let line = Array((word + "\n").utf8)
        #if canImport(Darwin)
        let flags: CInt = 0
        #else
        let flags = CInt(MSG_NOSIGNAL)
        #endif
        // A word fits into the socket's buffer, so this never waits.
        guard send(socket, line, line.count, flags) == line.count else { throw gone() }
        return try await readLine()
    }

    /// The next line that the supervisor says.
    func readLine() async throws(RedisError) -> String {
        let end = MonotonicInstant.now() + Self.answerDeadline
        var line: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            switch recv(socket, &byte, 1, CInt(MSG_DONTWAIT)) {
            case 1 where byte == UInt8(ascii: "\n"): return String(decoding: line, as: UTF8.self)
            case 1: line.append(byte)
            case 0: throw gone()
            default:
                guard errno == EAGAIN || errno == EINTR else { throw gone() }
                guard MonotonicInstant.now() < end else {
                    throw RedisError(.timedOut, "the supervisor of the private redis-server did not answer")
                }
                await pauseBriefly()
            }
        }
    }

    /// Lets the supervisor end: it kills its server and removes its folder.
    ///
    /// Returns when it is done; `false` if that took too long.
    func finish() async -> Bool {
        close(socket)
        let end = MonotonicInstant.now() + Self.answerDeadline
        var isDone = false
        while !isDone, MonotonicInstant.now() < end {
            let result = waitpid(pid, nil, WNOHANG)
            isDone = result == pid || (result == -1 && errno == ECHILD)
            if !isDone { await pauseBriefly() }
        }
        return isDone
    }

    private func gone() -> RedisError {
        RedisError(.serverNotStarted, "the supervisor of the private redis-server is gone")
    }

    /// A pair of sockets that no other child process inherits.
    private static func makeSockets() throws(RedisError) -> (ours: CInt, theirs: CInt) {
        var ends: [CInt] = [-1, -1]
        #if os(Linux)
        // SOCK_STREAM and SOCK_CLOEXEC (socket(2)): their Swift names depend on which module imports them first.
        let streamSocket: CInt = 1
        let closeOnExec: CInt = 0o2000000
        let result = socketpair(AF_UNIX, streamSocket | closeOnExec, 0, &ends)
        #else
        let result = socketpair(AF_UNIX, SOCK_STREAM, 0, &ends)
        for end in ends {
            var on: CInt = 1
            setsockopt(end, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<CInt>.size))
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        #endif
        guard result == 0 else {
            throw RedisError(
                .serverNotStarted,
                "cannot make a socket to the private redis-server: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    private static func spawn(_ arguments: [String], socket: CInt) throws(RedisError) -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        let flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        // POSIX_SPAWN_SETSID, which glibc defines for C only with its own extensions switched on.
        let flags: CInt = 0x80 | CInt(POSIX_SPAWN_SETSIGMASK)
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, .init(flags))
        posix_spawn_file_actions_adddup2(&actions, socket, 0)
        posix_spawn_file_actions_adddup2(&actions, socket, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        #if !canImport(Darwin)
        // NIO's sockets are not close-on-exec: a server that inherited one would keep its connection open when we close it.
        _ = wsmCloseFrom(&actions, 3)
        #endif
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, arguments[0], &actions, &attributes, &words, environ)
        guard result == 0 else {
            throw RedisError(
                .serverNotStarted,
                "cannot start \(arguments[0]) for the private redis-server: \(String(cString: strerror(result)))")
        }
        return pid
    }
}

/// Lets some milliseconds pass between two looks at something.
func pauseBriefly() async {
    // A cancelled task still has to clean up, so it looks again at once rather than not at all.
    do { try await Task.sleep(nanoseconds: 2_000_000) } catch { await Task.yield() }
}
