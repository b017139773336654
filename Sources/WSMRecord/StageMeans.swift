package import WSMCore

/// The mean of each stage, as cheap as a few divisions: for showing a run while it lasts.
package struct StageMeans: Hashable, Sendable {
    /// One stage's share: how many messages or deliveries it has, and the mean of their spans.
    package struct Share: Hashable, Sendable {
        package var count: Int64 = 0
        package var mean = TimeSpan.zero

        init(_ histogram: LatencyHistogram) {
            count = histogram.count
            mean = histogram.mean ?? .zero
        }

        mutating func add(_ other: Share) {
            let sum = count + other.count
            guard sum > 0 else { return }
            let weight = Double(other.count) / Double(sum)
            mean = mean + (other.mean - mean).scaled(by: weight)
            count = sum
        }
    }

    /// The stages in the order of a message's way, by their names in results.
    package private(set) var stages: [(name: String, share: Share)]

    package init(_ histograms: StageHistograms) {
        stages = [
            ("worker", Share(histograms.worker)), ("queue", Share(histograms.queue)),
            ("publish", Share(histograms.publish)), ("broker", Share(histograms.broker)),
            ("write", Share(histograms.write)), ("wire", Share(histograms.wire)),
        ]
    }

    /// Takes in the means of another part of the same run.
    package mutating func add(_ other: StageMeans) {
        for index in stages.indices { stages[index].share.add(other.stages[index].share) }
    }

    package static func == (left: StageMeans, right: StageMeans) -> Bool {
        left.stages.elementsEqual(right.stages) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) {
        for stage in stages { hasher.combine(stage.share) }
    }
}
