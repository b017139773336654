/// What one node of a cluster knows of the others: the reply to `CLUSTER NODES`.
struct ClusterView: Equatable {
    struct Node: Equatable {
        var id: String
        var flags: [String]
        var isLinked: Bool
    }

    var nodes: [Node] = []

    /// Reads the reply; `nil` when a line is not what Redis documents (`id address flags master … link-state slots`).
    init?(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count >= 8 else { return nil }
            nodes.append(
                Node(
                    id: String(words[0]), flags: words[2].split(separator: ",").map { String($0) },
                    isLinked: words[7] == "connected"))
        }
    }

    /// Why this is not the view of `count` nodes that all know and reach each other; `nil` if it is.
    func missing(of count: Int) -> String? {
        guard nodes.count == count else { return "a node knows \(nodes.count) of \(count) nodes" }
        for node in nodes {
            if let flag = node.flags.first(where: { ["handshake", "fail", "fail?", "noaddr"].contains($0) }) {
                return "node \(node.id) is marked \(flag)"
            }
            if !node.isLinked { return "the bus to node \(node.id) is not connected" }
        }
        return nil
    }
}
