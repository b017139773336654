internal import WSMCore
package import WSMRecord

/// The response times of measured messages, by the instance that sent them.
///
/// Each span is in one histogram only: the sum over instances is made when somebody asks for it, so that telling instances
/// apart costs a delivery nothing.
package struct InstanceLatencies: Sendable {
    /// Instances from this one on share a histogram, some 270 KB each, and are not told apart.
    package static let limit = 64

    /// By instance; the one at ``limit`` is of all others.
    private var histograms: ContiguousArray<LatencyHistogram> = []

    package init() {}

    /// Makes room for an instance, so that recording allocates nothing.
    mutating func prepare(instance: Int) {
        while histograms.count <= min(instance, Self.limit) { histograms.append(LatencyHistogram()) }
    }

    /// Records one span; the instance is prepared.
    mutating func record(_ span: TimeSpan, instance: Int) {
        histograms[min(instance, Self.limit)].record(span)
    }

    /// Records these spans, in nanoseconds, each once; the instance is prepared.
    mutating func record(_ nanoseconds: UnsafeBufferPointer<Int64>, instance: Int) {
        histograms[min(instance, Self.limit)].record(nanoseconds: nanoseconds)
    }

    /// How many spans were recorded.
    package var count: Int64 { histograms.reduce(0) { $0 + $1.count } }

    /// All instances together; some 30,000 additions an instance.
    package var total: LatencyHistogram {
        histograms.reduce(into: LatencyHistogram()) { $0.add($1) }
    }

    /// Of one instance; `nil` where it has none, or is not told apart.
    package subscript(instance: Int) -> LatencyHistogram? {
        guard (0..<Self.limit).contains(instance), histograms.indices.contains(instance) else { return nil }
        return histograms[instance].count > 0 ? histograms[instance] : nil
    }

    /// Merges `other` into these.
    mutating func add(_ other: InstanceLatencies) {
        guard !other.histograms.isEmpty else { return }
        prepare(instance: other.histograms.count - 1)
        for (index, histogram) in other.histograms.enumerated() { histograms[index].add(histogram) }
    }
}
