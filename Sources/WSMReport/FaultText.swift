import WSMHarness
internal import WSMVerify

/// What a fault did, in plain words: who was dropped, who came back, who missed what without knowing.
enum FaultText {
    /// One sentence or two on a fault; `instances` are those of the result.
    static func sentences(_ fault: FaultResult, _ instances: [InstanceResult]) -> String {
        if fault.lateNanoseconds == nil, let failure = fault.failure {
            return "\(fault.action), planned at \(Figures.time(fault.plannedAt)), \(failure)."
        }
        var parts = clients(fault) + hearing(fault) + losses(fault) + threads(fault, instances)
        if let line = bystanders(fault) { parts.append(line) }
        if let failure = fault.failure { parts.append("the fault \(failure)") }
        let head = "At \(Figures.time(fault.at)) \(what(fault))"
        return ([head] + parts).joined(separator: "; ") + "."
    }

    // MARK: What was done

    private static func what(_ fault: FaultResult) -> String {
        let span = fault.healedAt.map { Figures.time($0 - fault.at) }
        let instance = fault.target.map { "instance \($0)" } ?? "every instance"
        func lasting(_ text: String) -> String { span.map { "\(text) for \($0)" } ?? "\(text) to the end" }
        func gone(_ text: String) -> String { span.map { "\(text) and was back after \($0)" } ?? "\(text) for good" }
        return switch fault.action {
        case "redis.restart", "redis.kill": lasting("Redis was away")
        case "redis.pause": lasting("Redis stood still")
        case "redis.slow": lasting("Redis answered late")
        case "redis.disconnect-clients": "Redis closed \(count(fault.hit.connections, "connection"))"
        case "instance.kill": gone("\(instance) was killed")
        case "instance.stop": gone("\(instance) was shut down")
        case "instance.pause": lasting("\(instance) stood still")
        case "clients.disconnect": "\(count(fault.hit.clients, "client")) lost their connections"
        case "clients.stall": lasting("\(count(fault.hit.clients, "client")) read nothing")
        case "link.cut": lasting("\(count(fault.hit.connections, "connection")) were cut without a word")
        case "link.delay": lasting("\(count(fault.hit.connections, "connection")) were delayed")
        case "link.throttle": lasting("\(count(fault.hit.connections, "connection")) were throttled")
        default: lasting("\(fault.action) held")
        }
    }

    // MARK: Clients

    private static func clients(_ fault: FaultResult) -> [String] {
        guard fault.connectedClients > 0 else { return [] }
        let of = "of \(count(fault.connectedClients, "client"))"
        var parts: [String] = []
        if fault.droppedClients > 0 {
            parts.append("\(Figures.grouped(fault.droppedClients)) \(of) were dropped without a close frame")
        }
        if fault.closedClients > 0 {
            parts.append("\(Figures.grouped(fault.closedClients)) \(of) were closed by their instance")
        }
        let ended = fault.droppedClients + fault.closedClients
        if ended == 0 { parts.append("all \(count(fault.connectedClients, "client")) stayed connected") }
        if fault.markedClients > 0 {
            parts.append("\(Figures.grouped(fault.markedClients)) were told that they may have missed something")
        }
        if ended > 0 {
            let back = fault.reconnectedClients
            parts.append(
                back == ended
                    ? "all of them came back"
                    : "\(Figures.grouped(back)) of them came back, \(Figures.grouped(ended - back)) did not")
        }
        return parts
    }

    private static func hearing(_ fault: FaultResult) -> [String] {
        var parts: [String] = []
        if let full = fault.fullDeliveryAfterNanoseconds, fault.connectedClients > 0 {
            parts.append("the last client heard again \(Figures.time(full)) after it was over")
        }
        if let blackout = fault.blackoutNanoseconds, blackout > 0 {
            parts.append("the longest silence was \(Figures.time(blackout))")
        }
        if fault.deafClients > 0 {
            parts.append("\(count(fault.deafClients, "client")) stayed connected and heard nothing any more")
        }
        if fault.unsentClients > 0 {
            parts.append("\(count(fault.unsentClients, "client")) could hear, and nothing was sent to them any more")
        }
        return parts
    }

    // MARK: Losses

    private static func losses(_ fault: FaultResult) -> [String] {
        guard fault.lost > 0 else { return ["nothing was lost"] }
        let causes = fault.lostByCause.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\(Figures.grouped($0.value)) \($0.key)" }.joined(separator: ", ")
        var parts = ["\(count(fault.lost, "delivery", "deliveries")) were lost (\(causes))"]
        let silent = fault.silentlyMissed
        if silent.clients > 0 {
            let range =
                silent.fewest == silent.most
                ? Figures.grouped(Int(silent.most))
                : "\(Figures.grouped(Int(silent.fewest))) to \(Figures.grouped(Int(silent.most)))"
            let each =
                silent.clients == 1 ? "1 client missed" : "\(Figures.grouped(silent.clients)) clients each missed"
            parts.append("\(each) \(range) messages that the broker had taken, and got no sign of it")
        }
        if let failed = fault.lostByCause[LossCause.publishFailed.rawValue], failed > 0 {
            parts.append("of publishes that failed their publishers know")
        }
        return parts
    }

    private static func threads(_ fault: FaultResult, _ instances: [InstanceResult]) -> [String] {
        guard fault.lostByCause[LossCause.threadDead.rawValue] != nil else { return [] }
        let dead = instances.filter { $0.broadcastThread == "dead" }.map { "\($0.index)" }
        guard !dead.isEmpty else { return [] }
        let whose = dead.count == 1 ? "instance \(dead[0])" : "instances \(dead.joined(separator: ", "))"
        return ["the broadcast thread of \(whose) is dead: no update of a process is sent from there any more"]
    }

    private static func bystanders(_ fault: FaultResult) -> String? {
        guard let others = fault.bystanders, let during = others.p99During else { return nil }
        let before = others.p99Before.map { ", before it \(Figures.time($0))" } ?? ""
        return "clients of other instances had a p99 of \(Figures.time(during))\(before)"
    }

    private static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(Figures.grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }
}
