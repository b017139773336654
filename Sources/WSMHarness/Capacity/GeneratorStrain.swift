internal import WSMRecord

/// How far the load generator itself was at its limits in a run, by the figures that are its own and not the machine's.
package struct GeneratorStrain: Sendable {
    /// One sentence for each figure over its bound, with both.
    package let findings: [String]
    /// That the clients' loops were late or lacked a CPU, in the same way: it lengthens only what the clients themselves
    /// measure, the wire and the whole.
    package let lateness: [String]

    package var isNone: Bool { findings.isEmpty }

    /// - Parameter bounds: A figure over the `suspect` one of its pair is a finding.
    package init(_ result: RunResult, bounds: ValidityBounds = .standard) {
        var findings: [String] = []
        func hold(_ value: Double?, _ bound: ValidityBounds.Bound, _ text: (Double) -> String) {
            if let value, value > bound.suspect { findings.append(text(value)) }
        }
        if let stalls = result.generator?.clientLoopStalls {
            hold(stalls.count > 0 ? Double(stalls.p99) : nil, bounds.clientLoopStall) {
                "the clients' event loops came late to what was due by \(Int(($0 / 1e6).rounded())) ms (p99)"
            }
        }
        if let loop = result.generator?.cpu?.recordingLoop, Double(loop.waitPerWake) >= bounds.leastCPUWait {
            hold(loop.waitRatio, bounds.cpuWait) {
                "the clients' event loops had no CPU for \(Int(($0 * 100).rounded())) % of the time in which they had work"
            }
        }
        lateness = findings
        findings = []
        let slip = result.scheduleSlip
        hold(slip.count > 0 ? Double(slip.p99) : nil, bounds.scheduleSlip) {
            "the load was late against its own plan by \(Int(($0 / 1e6).rounded())) ms (p99)"
        }
        // Without sockets the instances' fan-out runs on the same loops, and to be busy is the system's own affair.
        if result.setup.transport != "direct" {
            hold(result.generator?.cpu?.recordingLoop.occupied, bounds.loopOccupied) {
                "the clients' event loops had work for \(Int(($0 * 100).rounded())) % of the time"
            }
        }
        hold(result.generator?.receiveBuffers?.shareOverHalf, bounds.receiveBuffers) {
            "\(Int(($0 * 100).rounded())) % of the clients' receive buffers were more than half full"
        }
        self.findings = findings
    }
}
