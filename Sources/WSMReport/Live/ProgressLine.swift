import WSMCore
package import WSMHarness

/// A run's progress on one line of its own, for logs.
///
/// Pure, so that tests see every column.
package enum ProgressLine {
    package static func plain(_ progress: RunProgress) -> String {
        var text = progress.phase.rawValue
        if progress.total > .zero {
            text += " \(Figures.time(progress.elapsed)) of \(Figures.time(progress.total))"
        } else if progress.elapsed > .zero {
            text += " \(Figures.time(progress.elapsed))"
        }
        var parts = [
            "\(Figures.grouped(progress.clientsConnected))/\(Figures.grouped(progress.clientsPlanned)) clients"
        ]
        if progress.received > 0 || progress.published > 0 {
            parts.append("\(Figures.rate(progress.receivedPerSecond)) delivered")
        }
        if let p50 = progress.p50 { parts.append("p50 \(Figures.time(p50))") }
        if let p99 = progress.p99 { parts.append("p99 \(Figures.time(p99))") }
        // Those that the run itself has stopped at its end are no news.
        if progress.phase != .closing {
            let unusual = progress.instances.filter { $0.state != .up || $0.isThreadDead }
            if !unusual.isEmpty { parts.append(InstanceText.summary(unusual)) }
        }
        parts += SignText.parts(progress.signs)
        return "\(text): \(parts.joined(separator: "  "))"
    }
}

/// How instances stand, in words.
enum InstanceText {
    /// `0 up`, `1 up, broadcast thread dead`, `2 paused`.
    static func state(_ instance: RunProgress.Instance) -> String {
        "\(instance.index) \(word(instance))"
    }

    /// Those of one state together: `98 up, instance 17 down, 3 paused`.
    static func summary(_ instances: [RunProgress.Instance]) -> String {
        var groups: [(word: String, members: [Int])] = []
        for instance in instances {
            let word = word(instance)
            if let known = groups.firstIndex(where: { $0.word == word }) {
                groups[known].members.append(instance.index)
            } else {
                groups.append((word, [instance.index]))
            }
        }
        return groups.map { group in
            if group.members.count == 1, instances.count > 1 || group.word != "up" {
                return "instance \(group.members[0]) \(group.word)"
            }
            return "\(group.members.count) \(group.word)"
        }.joined(separator: ", ")
    }

    private static func word(_ instance: RunProgress.Instance) -> String {
        instance.state.rawValue + (instance.isThreadDead ? ", broadcast thread dead" : "")
    }
}

/// The signs of loss, in words: facts, and no count of losses.
enum SignText {
    static func parts(_ signs: RunProgress.Signs) -> [String] {
        var parts: [String] = []
        func add(_ count: Int, _ one: String, _ many: String) {
            if count > 0 { parts.append("\(Figures.grouped(count)) \(count == 1 ? one : many)") }
        }
        add(signs.publishesFailed, "publish failed", "publishes failed")
        add(signs.updatesRefused, "update refused by a full queue", "updates refused by a full queue")
        add(signs.clientsEvicted, "slow client cut off", "slow clients cut off")
        add(signs.deliveriesOvertaken, "delivery overtaken", "deliveries overtaken")
        return parts
    }
}
