/// The authentication that a client puts into `Sec-WebSocket-Protocol: base64.bearer.token, <token>`
/// (`api/api_v1/endpoints/ws.py`).
enum Subprotocol: Hashable {
    /// No header: an empty token, no subprotocol in the answer.
    case none
    case token(String)
    /// A header that is not those two parts: the socket is closed with 1002.
    case malformed

    static let name = "base64.bearer.token"

    init(headers: [String]) {
        guard !headers.isEmpty else {
            self = .none
            return
        }
        let parts = headers.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false)
            .map { part in String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        guard parts.count == 2, parts[0] == Subprotocol.name, !parts[1].isEmpty else {
            self = .malformed
            return
        }
        self = .token(parts[1])
    }
}
