import WSMHarness

/// What healthy clients felt beside slow or stalled ones, in plain words.
enum NeighbourText {
    static func sentences(_ neighbours: Neighbours) -> String {
        let sick =
            neighbours.sickClients == 1 ? "1 client was" : "\(Figures.grouped(neighbours.sickClients)) clients were"
        var text = "\(sick) slow or stalled; "
        text += group(neighbours.besideSick, "on the same instance")
        if neighbours.elsewhere.clients > 0 { text += "; " + group(neighbours.elsewhere, "on other instances") }
        return text + "."
    }

    private static func group(_ group: Neighbours.Group, _ place: String) -> String {
        guard group.clients > 0 else { return "nobody else was \(place)" }
        let who = group.clients == 1 ? "1 healthy client" : "\(Figures.grouped(group.clients)) healthy clients"
        var text = "\(who) \(place) got \(Figures.grouped(Int(group.receivedPerClient.rounded()))) messages each"
        if let p50 = group.p50, let p99 = group.p99 {
            text += ", p50 \(Figures.time(p50)), p99 \(Figures.time(p99))"
        }
        return text
    }
}
