/// Reads the answer to one request from the bytes of an HTTP/1.1 connection (RFC 9112), at whatever places they are cut.
///
/// Of the body only the length matters: it is thrown away. Holds at most ``headLimit`` bytes, and traps on none.
struct HTTPResponseReader {
    static let headLimit = 64 << 10
    /// A larger body is not read to its end: the connection is then given up, the answer counts.
    static let bodyLimit = 1 << 20

    /// What the bytes are, if they are no HTTP answer.
    struct Fault: Error, Hashable {
        let message: String
    }

    private enum State: Hashable {
        case statusLine
        case headers
        case body(left: Int)
        case chunkLine
        /// The chunk's bytes and the line end after them.
        case chunk(left: Int)
        case trailers
        case untilClose
        case done
    }

    /// The status code; known before the body has come, `nil` until then.
    private(set) var status: Int?
    /// Whether another request may be sent on the connection, once ``isComplete``.
    private(set) var keepsConnection = true

    private var state = State.statusLine
    private var line: [UInt8] = []
    private var headBytes = 0
    private var bodyBytes = 0
    private var contentLength: Int?
    private var isChunked = false
    private var pendingStatus = 0

    var isComplete: Bool { state == .done }

    /// Takes what has arrived; bytes behind the answer mean that the connection cannot be kept.
    mutating func receive(_ bytes: some Collection<UInt8>) throws(Fault) {
        var rest = Array(bytes)[...]
        while let first = rest.first {
            switch state {
            case .done:
                keepsConnection = false
                return
            case .untilClose: rest = skip(rest.count, of: rest)
            case .body(let left):
                let count = min(left, rest.count)
                rest = skip(count, of: rest)
                if state != .done { state = left == count ? .done : .body(left: left - count) }
            case .chunk(let left):
                let count = min(left, rest.count)
                rest = skip(count, of: rest)
                if state != .done { state = left == count ? .chunkLine : .chunk(left: left - count) }
            case .statusLine, .headers, .chunkLine, .trailers:
                rest = rest.dropFirst()
                try take(first)
            }
        }
    }

    /// The server has closed the connection; whether the answer is whole all the same.
    mutating func closed() -> Bool {
        keepsConnection = false
        if state == .untilClose { state = .done }
        return state == .done
    }

    private mutating func skip(_ count: Int, of rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        bodyBytes += count
        if bodyBytes > Self.bodyLimit {
            keepsConnection = false
            state = .done
        }
        return rest.dropFirst(count)
    }

    private mutating func take(_ byte: UInt8) throws(Fault) {
        headBytes += 1
        guard headBytes <= Self.headLimit else { throw Fault(message: "a head of more than \(Self.headLimit) bytes") }
        guard byte == UInt8(ascii: "\n") else {
            line.append(byte)
            return
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        switch state {
        case .statusLine: try takeStatus(text)
        case .headers: if text.isEmpty { try endHead() } else { try takeHeader(text) }
        case .chunkLine: try takeChunkLine(text)
        case .trailers: if text.isEmpty { state = .done }
        case .body, .chunk, .untilClose, .done: break
        }
    }

    private mutating func takeStatus(_ text: String) throws(Fault) {
        // A server may send an empty line before an answer: RFC 9112, section 2.2, asks to be lenient.
        guard !text.isEmpty else { return }
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0", parts[1].utf8.count == 3,
            let code = Int(parts[1]), (100...599).contains(code)
        else { throw Fault(message: "no HTTP/1.1 answer") }
        pendingStatus = code
        keepsConnection = parts[0] == "HTTP/1.1"
        contentLength = nil
        isChunked = false
        state = .headers
    }

    private mutating func takeHeader(_ text: String) throws(Fault) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            throw Fault(message: "a header without a colon")
        }
        let name = text[..<colon].lowercased()
        let value = text[text.utf8.index(after: colon)...].filter { $0 != " " && $0 != "\t" }.lowercased()
        switch name {
        case "content-length":
            guard value.utf8.count <= 15, value.utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(value),
                contentLength == nil || contentLength == length
            else { throw Fault(message: "a Content-Length that is none") }
            contentLength = length
        case "transfer-encoding": isChunked = value.hasSuffix("chunked")
        case "connection":
            let words = value.split(separator: ",")
            if words.contains("close") { keepsConnection = false }
            if words.contains("keep-alive") { keepsConnection = true }
        default: break
        }
    }

    /// How long the body is: RFC 9112, section 6.3.
    private mutating func endHead() throws(Fault) {
        headBytes = 0
        guard pendingStatus >= 200 else {
            guard pendingStatus != 101 else { throw Fault(message: "a switch of protocols that nobody asked for") }
            state = .statusLine
            return
        }
        status = pendingStatus
        if pendingStatus == 204 || pendingStatus == 304 {
            state = .done
        } else if isChunked {
            state = .chunkLine
        } else if let contentLength {
            state = contentLength == 0 ? .done : .body(left: contentLength)
        } else {
            keepsConnection = false
            state = .untilClose
        }
    }

    private mutating func takeChunkLine(_ text: String) throws(Fault) {
        headBytes = 0
        let size = text.prefix { $0.isHexDigit }
        guard !size.isEmpty, size.utf8.count <= 8, let count = Int(size, radix: 16) else {
            throw Fault(message: "a chunk without its length")
        }
        state = count == 0 ? .trailers : .chunk(left: count + 2)
    }
}
