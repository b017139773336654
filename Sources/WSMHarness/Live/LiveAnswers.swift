internal import NIOCore
internal import NIOHTTP1

/// What a request beside the WebSocket's gets: the page, and nothing else.
struct LiveAnswers: Sendable {
    struct Answer: Sendable {
        var status: HTTPResponseStatus
        var type: String
        var body: ByteBuffer
    }

    private let page: ByteBuffer
    /// The page's own script and style, and nothing from elsewhere.
    private let policy: String

    /// - Parameter script: The source of the page's script, as a Content-Security-Policy names it.
    init(page: String, script: String) {
        self.page = ByteBuffer(string: page)
        policy =
            "default-src 'none'; script-src \(script); style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }

    func answer(to head: HTTPRequestHead) -> Answer {
        guard head.localHost != nil else {
            return text(.forbidden, "This page is for this machine: http://127.0.0.1 or http://localhost\n")
        }
        guard head.method == .GET || head.method == .HEAD else { return text(.methodNotAllowed, "GET only\n") }
        switch head.uri.prefix(while: { $0 != "?" }) {
        case "/": return Answer(status: .ok, type: "text/html; charset=utf-8", body: page)
        case "/favicon.ico": return text(.noContent, "")
        case LiveServer.socketPath[...]: return text(.forbidden, "A WebSocket, for the page of this very server\n")
        default: return text(.notFound, "There is only /\n")
        }
    }

    private func text(_ status: HTTPResponseStatus, _ text: String) -> Answer {
        Answer(status: status, type: "text/plain; charset=utf-8", body: ByteBuffer(string: text))
    }

    func headers(of answer: Answer) -> HTTPHeaders {
        var headers: HTTPHeaders = [
            "Cache-Control": "no-store", "Connection": "close", "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        ]
        if answer.status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        if answer.status != .noContent {
            headers.add(name: "Content-Type", value: answer.type)
            headers.add(name: "Content-Length", value: "\(answer.body.readableBytes)")
        }
        return headers
    }
}

extension HTTPRequestHead {
    /// The host that the request is for, if it names exactly one and that is this machine.
    var localHost: String? {
        let hosts = headers["host"]
        guard hosts.count == 1, LocalHost.isLocal(hosts[0]) else { return nil }
        return hosts[0]
    }
}
