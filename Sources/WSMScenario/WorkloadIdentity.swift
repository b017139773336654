import WSMCore

/// The key under which a workload's numbers are drawn.
///
/// It comes from what the workload is and not from its place in the list, so that the others draw the same numbers when
/// one is added or taken away. Equal workloads are told apart by counting them.
struct WorkloadIdentity {
    private let key: UInt64

    /// The identities of a scenario's workloads, in their order.
    static func all(of workloads: [WorkloadSpec]) -> [WorkloadIdentity] {
        var seen: [WorkloadSpec: Int] = [:]
        return workloads.map { workload in
            let repetition = seen[workload, default: 0]
            seen[workload] = repetition + 1
            return WorkloadIdentity(key: mix(hash(of: text(of: workload)) &+ UInt64(repetition)))
        }
    }

    /// The entity of the `number`-th process or publisher of the workload.
    func entity(_ number: Int) -> UInt64 {
        WorkloadIdentity.mix(key ^ WorkloadIdentity.mix(UInt64(truncatingIfNeeded: number)))
    }

    private static func text(of workload: WorkloadSpec) -> String {
        let rate = QuantityWriter.rate(workload.rate)
        switch workload {
        case .processes(let spec):
            let shares = [spec.failed, spec.suspended, spec.aborted].map { "\($0.millionths)" }.joined(separator: " ")
            let steps = "\(spec.steps) \(QuantityWriter.distribution(spec.stepDuration)) \(spec.subscriptions)"
            return "\(workload.kind) \(rate) \(spec.arrival) \(steps) \(shares) \(spec.resumeAfter.nanoseconds)"
        case .broadcasts(let spec):
            return "\(workload.kind) \(rate) \(spec.arrival) \(spec.publishers) \(spec.payload) \(spec.channel)"
        case .engineStatus(let spec):
            return "\(workload.kind) \(rate) \(spec.arrival)"
        }
    }

    /// FNV-1a, 64 bits.
    private static func hash(of text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    /// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which each bit depends on all.
    private static func mix(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
