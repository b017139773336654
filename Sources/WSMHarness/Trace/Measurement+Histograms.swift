internal import Foundation
internal import WSMCore
internal import WSMRecord
internal import WSMVerify

extension Measurement {
    /// The bytes of `latency.hlog`: every latency of the measured window, each with a tag of its own.
    func histogramLog(_ settlement: Settlement) -> [UInt8] {
        let now = MonotonicInstant.now()
        let measuredFrom = clock?.measuredFrom ?? now
        let began = Date().timeIntervalSince1970 - (now - measuredFrom).seconds
        let stages = stages(settlement)
        var log = HistogramLog(start: began)
        let histograms: [(String, LatencyHistogram)] = [
            ("response", stages.latency), ("service", stages.latencyFromActualSend), ("slip", load.scheduleSlip),
            ("skew", settlement.fanOutSkew), ("slow-readers", stages.slowReaderLatency), ("worker", stages.worker),
            ("queue", stages.queue), ("publish", stages.publish), ("broker", stages.broker), ("write", stages.write),
            ("wire", stages.wire),
        ]
        for (tag, histogram) in histograms { log.add(histogram, tag: tag, from: .zero, length: measuredSpan) }
        return log.bytes
    }
}
