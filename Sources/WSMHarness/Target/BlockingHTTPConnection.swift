internal import Foundation
internal import WSMCore
internal import WSMScenario

/// An HTTP/1.1 connection that posts, for one dedicated thread, which waits in its calls.
///
/// Never call it from an event loop or from Swift's own threads. Every call ends by its deadline. After a failure, and when
/// the server does not keep it, the connection is closed and stays so.
final class BlockingHTTPConnection {
    /// Why there is no answer.
    struct Failure: Error, Hashable {
        let message: String
        /// Whether the server may have carried out the request: all of it had left.
        let maybeDone: Bool
    }

    private let head: [UInt8]
    private let deadline: TimeSpan
    private var descriptor: Int32
    private(set) var isUsable = true

    /// Connects before `deadline` has passed; later calls have the same time each.
    init(url: TargetURL, deadline: TimeSpan) throws(Failure) {
        self.deadline = deadline
        head = Self.head(url)
        descriptor = try Self.connect(url, until: .now() + deadline)
    }

    deinit {
        if descriptor >= 0 { Foundation.close(descriptor) }
    }

    /// Posts `body` and returns the status of the answer, with the instant at which it was there.
    func post(_ body: [UInt8]) throws(Failure) -> (status: Int, at: MonotonicInstant) {
        guard isUsable else { throw Failure(message: "the connection is closed", maybeDone: false) }
        let end = MonotonicInstant.now() + deadline
        do throws(Failure) {
            try send(head + Array("\(body.count)\r\n\r\n".utf8) + body, until: end)
            return try receive(until: end)
        } catch {
            close()
            throw error
        }
    }

    private func close() {
        isUsable = false
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }

    /// The head of every request, up to the value of `Content-Length`.
    private static func head(_ url: TargetURL) -> [UInt8] {
        var lines = [
            "POST \(url.path) HTTP/1.1", "Host: \(url.authority)",
            "User-Agent: wsmlab/\(RunEnvironment.programVersion)",
            "Content-Type: application/json",
        ]
        if let login = url.login {
            // RFC 7617.
            lines.append("Authorization: Basic \(Data("\(login.user):\(login.password)".utf8).base64EncodedString())")
        }
        return Array((lines + ["Content-Length: "]).joined(separator: "\r\n").utf8)
    }

    // MARK: Bytes

    private func send(_ bytes: [UInt8], until end: MonotonicInstant) throws(Failure) {
        // Nothing is awaited here, so readable means that the server has closed: say so while nothing was sent.
        guard !Self.isReady(descriptor, POLLIN, until: .now()) else {
            throw Failure(message: "the server had closed the connection", maybeDone: false)
        }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                guard Self.isReady(descriptor, POLLOUT, until: end) else { throw timedOut(maybeDone: false) }
            } else if errno != EINTR {
                // Without its last bytes no server takes the request for whole.
                throw Failure(message: "the connection broke: \(Self.reason(errno))", maybeDone: false)
            }
        }
    }

    private func receive(until end: MonotonicInstant) throws(Failure) -> (status: Int, at: MonotonicInstant) {
        var reader = HTTPResponseReader()
        var answeredAt: MonotonicInstant?
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while !reader.isComplete {
            guard Self.isReady(descriptor, POLLIN, until: end) else { throw timedOut(maybeDone: true) }
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else {
                if reader.closed() || reader.status != nil { break }
                let why = count == 0 ? "the server closed it" : Self.reason(errno)
                throw Failure(message: "the connection ended before an answer: \(why)", maybeDone: true)
            }
            do throws(HTTPResponseReader.Fault) {
                try reader.receive(buffer[..<count])
            } catch {
                throw Failure(message: "the server answered with \(error.message)", maybeDone: true)
            }
            if reader.status != nil, answeredAt == nil { answeredAt = .now() }
        }
        if !reader.isComplete || !reader.keepsConnection { close() }
        return (reader.status ?? 0, answeredAt ?? .now())
    }

    private func timedOut(maybeDone: Bool) -> Failure {
        Failure(message: "no answer within \(deadline.seconds) s", maybeDone: maybeDone)
    }

    // MARK: Sockets

    private static func connect(_ url: TargetURL, until end: MonotonicInstant) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let host = url.host == "localhost" ? "127.0.0.1" : url.host
        guard getaddrinfo(host, "\(url.port)", &hints, &list) == 0, let list else {
            throw Failure(message: "its host is not known here", maybeDone: false)
        }
        defer { freeaddrinfo(list) }
        var why = "no address"
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let address = next {
            let descriptor = socket(
                address.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue),
                0)
            let code = descriptor < 0 ? errno : finishConnect(descriptor, address.pointee, until: end)
            if code == 0 {
                var on: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            }
            if descriptor >= 0 { Foundation.close(descriptor) }
            why = reason(code)
            next = address.pointee.ai_next
        }
        throw Failure(message: "cannot connect: \(why)", maybeDone: false)
    }

    /// Connects a socket that does not block; 0, or why not.
    private static func finishConnect(_ descriptor: Int32, _ address: addrinfo, until end: MonotonicInstant) -> Int32 {
        guard Foundation.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 else { return 0 }
        guard errno == EINPROGRESS else { return errno }
        guard isReady(descriptor, POLLOUT, until: end) else { return ETIMEDOUT }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return errno }
        return code
    }

    /// Waits until something happens on the socket; false at the deadline.
    private static func isReady(_ descriptor: Int32, _ events: Int32, until end: MonotonicInstant) -> Bool {
        while true {
            let left = max(0, (end - .now()).nanoseconds)
            var wait = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&wait, 1, Int32(clamping: (left + 999_999) / 1_000_000))
            if count > 0 { return true }
            if count == 0 || errno != EINTR { return false }
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
