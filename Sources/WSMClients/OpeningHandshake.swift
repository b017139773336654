import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The client's side of the opening handshake: RFC 6455, section 4.1.
///
/// Sans-IO: ``request`` is sent once, bytes of the answer go in as they were read. No answer traps, and none is kept beyond
/// ``headLimit``.
struct OpeningHandshake {
    enum Outcome: Hashable {
        /// The answer's end has not come yet.
        case unfinished
        /// The server has switched; of the bytes read last `used` belong to the answer, the others are frames.
        case accepted(used: Int)
        /// What is wrong, as a key of ``ConnectFailure``.
        case refused(String)
    }

    /// An answer's head that is longer is none.
    static let headLimit = 16 * 1024

    let request: [UInt8]
    private let subprotocols: [String]
    private let checker: NIOWebSocketClientUpgrader
    private var head: [UInt8] = []

    /// - Parameters:
    ///   - endpoint: Where the request goes, and what it offers.
    ///   - key: Sixteen bytes in Base64, `Sec-WebSocket-Key`.
    init(_ endpoint: ClientEndpoint, key: String) {
        subprotocols = endpoint.subprotocols
        checker = NIOWebSocketClientUpgrader(requestKey: key) { channel, _ in
            channel.eventLoop.makeSucceededVoidFuture()
        }
        var lines = ["GET \(endpoint.path) HTTP/1.1", "Host: \(endpoint.authority)"]
        if !subprotocols.isEmpty { lines.append("Sec-WebSocket-Protocol: \(subprotocols.joined(separator: ", "))") }
        lines += [
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: \(key)", "Sec-WebSocket-Version: 13",
        ]
        request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Takes bytes of the answer.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        for (index, byte) in bytes.enumerated() {
            head.append(byte)
            if byte == UInt8(ascii: "\n"), head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                let failure = judge()
                head = []
                return failure.map(Outcome.refused) ?? .accepted(used: index + 1)
            }
            // What speaks no HTTP at all may never end a line.
            guard head.count <= Self.headLimit, head.starts(with: "HTTP/1.".utf8.prefix(head.count)) else {
                return .refused(ConnectFailure.badHandshake)
            }
        }
        return .unfinished
    }

    /// What is wrong with the answer; `nil`: nothing.
    private func judge() -> String? {
        guard let head = Self.parse(head) else { return ConnectFailure.badHandshake }
        guard head.status == .switchingProtocols else { return ConnectFailure.status(Int(head.status.code)) }
        let chosen = head.headers["Sec-WebSocket-Protocol"]
        // NIO's own upgrader compares the accept key.
        let isWebSocket =
            head.headers[canonicalForm: "Upgrade"].contains { $0.lowercased() == "websocket" }
            && head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
            && checker.shouldAllowUpgrade(upgradeResponse: head)
            && !head.headers.contains(name: "Sec-WebSocket-Extensions")
            && chosen.count <= 1 && chosen.allSatisfy(subprotocols.contains)
        return isWebSocket ? nil : ConnectFailure.badHandshake
    }

    /// An answer's head with its empty line: RFC 9112, sections 4 and 5; `nil` for what is none.
    private static func parse(_ bytes: [UInt8]) -> HTTPResponseHead? {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.components(of: "\r\n")
        let status = lines.removeFirst().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard status.count >= 2, status[0] == "HTTP/1.1" || status[0] == "HTTP/1.0", status[1].utf8.count == 3,
            let code = Int(status[1]), (100...999).contains(code)
        else { return nil }
        var headers = HTTPHeaders()
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                line[..<colon].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.add(name: String(line[..<colon]), value: String(value.trimmingEnd()))
        }
        return HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: code), headers: headers)
    }
}

extension String {
    /// The parts between `separator`; a CRLF is one character of Swift, so that splitting by characters finds it.
    fileprivate func components(of separator: Character) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}

extension Substring {
    /// Without the blanks at its end.
    fileprivate func trimmingEnd() -> Substring {
        var rest = self
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }
}
