import Testing

@testable import WSMScenario

@Suite("Thresholds")
struct ThresholdTests {
    @Test(
        "An expression is read in the unit of its metric",
        arguments: [
            ("latency.p99 < 50ms", 50e6, "ms"), ("delivery.lost == 0", 0, ""),
            ("delivery.perSecond>=5k/s", 5000, "k/s"),
            ("resources.redis.rssBytes <= 64MiB", 67_108_864, "MiB"), ("stages.queue.p999 > 1.5us", 1500, "us"),
            ("resources.instances.cpuSecondsPerMillionDeliveries < 9.5", 9.5, ""),
            ("resources.clients.cpuSeconds < 1500ms", 1.5, "ms"), ("delivery.lostByCause.other-instance > 0", 0, ""),
            ("durationNanoseconds < 1m", 60e9, "m"), ("fanOutSkew.count > 10", 10, ""),
        ] as [(String, Double, String)])
    func expressions(_ text: String, _ value: Double, _ unit: String) throws {
        let threshold = try Threshold.parse(text).get()
        #expect(threshold.value == value)
        #expect(threshold.unit == unit)
        #expect(try Threshold.parse(threshold.expression).get() == threshold)
    }

    @Test(
        "A wrong expression says what is wrong",
        arguments: [
            ("latency.p98 < 50ms", "no metric \"latency.p98\""), ("latncy.p99 < 50ms", "no metric"),
            ("latency.p99", "compares nothing"), ("latency.p99 != 5ms", "not a comparison"),
            ("latency.p99 = 5ms", "not a comparison"), ("latency.p99 < 50", "needs a unit"),
            ("latency.p99 < 5MiB", "not a unit of a duration"), ("latency.p99 < ", "is not a duration"),
            ("delivery.lost < 5ms", "not a unit of a number"), ("delivery.perSecond > 5", "needs a unit"),
            ("resources.redis.rssBytes < 5s", "not a unit of a size"), ("delivery.lost < -1", "is negative"),
            ("< 5ms", "no metric \"\""), ("", "compares nothing"), ("delivery.lost < nan", "is not a number"),
        ])
    func wrong(_ text: String, _ message: String) {
        guard case .failure(let error) = Threshold.parse(text) else {
            Issue.record("\(text) was read")
            return
        }
        #expect(error.message.contains(message))
    }

    @Test("The nearest metric is named")
    func nearest() {
        guard case .failure(let error) = Threshold.parse("latncy.p99 < 50ms") else {
            Issue.record("an unknown metric was read")
            return
        }
        #expect(error.hint == "did you mean latency.p99?")
    }

    @Test("Each comparison decides at its bound, and no samples miss it")
    func evaluation() throws {
        let outcomes = try Threshold.Operator.allCases.map { op in
            let threshold = try Threshold.parse("delivery.lost \(op.rawValue) 5").get()
            return [4, 5, 6].map { threshold.evaluate($0) }
        }
        #expect(
            outcomes == [
                [true, false, false], [true, true, false], [false, false, true], [false, true, true],
                [false, true, false],
            ])
        let any = try Threshold.parse("delivery.lost >= 0").get()
        #expect(!any.evaluate(nil))
        #expect(!any.evaluate(.nan))
    }

    @Test("The catalogue holds every number of the result that the contract names, once")
    func catalogue() {
        let paths = MetricCatalogue.metrics.map(\.path)
        #expect(Set(paths).count == paths.count)
        for path in [
            "latency.p99", "latencyFromActualSend.mean", "scheduleSlip.max", "fanOutSkew.p90", "stages.worker.p50",
            "stages.queue.p99", "stages.publish.min", "stages.broker.p999", "stages.write.max", "stages.wire.count",
            "delivery.missedOffline", "delivery.lostByCause.unexplained", "delivery.lostByCause.fan-out-aborted",
            "resources.instances.cpuSecondsPerMillionDeliveries", "resources.redis.connections",
        ] {
            #expect(paths.contains(path), "\(path)")
        }
    }
}
