import Testing
import WSMRecord

@testable import WSMHarness

@Suite("What is exhausted")
struct ExhaustionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var resource: CapacityResource
        var words: String
        var change: @Sendable (inout RunResult) -> Void

        init(
            _ name: String, _ resource: CapacityResource, _ words: String,
            _ change: @escaping @Sendable (inout RunResult) -> Void
        ) {
            testDescription = name
            self.resource = resource
            self.words = words
            self.change = change
        }
    }

    private static func late(_ result: inout RunResult) { result.latency = MadeUpRun.latency(milliseconds: 205) }

    static let cases: [Case] = [
        Case("the load was late", .generator, "late against its own plan by 30 ms") {
            $0.scheduleSlip = MadeUpRun.latency(milliseconds: 30)
            $0.resources.redis?.cpuSeconds = 9.9
        },
        Case("the clients' loops are full", .generator, "had work for 90 %") {
            $0.generator?.cpu?.recordingLoop = LoopShares(busy: 0.5, waiting: 0.4)
        },
        Case("the clients do not read", .generator, "10 % of the clients' receive buffers") {
            $0.generator?.receiveBuffers = ReceiveBufferFigures(samples: 100, overHalf: 10, fullest: 1)
        },
        Case("without sockets a full loop is the instance's own", .instanceLoop, "had work for 90 %") {
            $0.setup.transport = "direct"
            $0.generator?.cpu?.recordingLoop = LoopShares(busy: 0.9)
            $0.generator?.cpu?.instanceLoop = LoopShares(busy: 0.9)
        },
        Case("the Redis pool is used up", .redisConnections, "12 times") { $0.instances[0].poolExhausted = 12 },
        Case("the thread pool is full", .threadPool, "refused 5 processes") { $0.generator?.refusedStarts = 5 },
        Case("healthy clients are evicted", .clientSockets, "2 deliveries") {
            $0.delivery.lostByCause = ["evicted": 6]
            $0.delivery.lostBySlowReaders = 4
        },
        Case("the queue is full", .broadcastThread, "8 deliveries were dropped by the full queue") {
            $0.delivery.lostByCause = ["queue-dropped": 8]
        },
        Case("Redis cuts a subscription off", .redis, "8 deliveries") { $0.delivery.lostByCause = ["broker-gap": 8] },
        Case("Redis has no more CPU", .redis, "86 % of a core") {
            late(&$0)
            $0.stages.queue = MadeUpRun.latency(milliseconds: 190)
            $0.resources.redis?.cpuSeconds = 8.6
        },
        Case("the queue grows", .broadcastThread, "queue grew by 189 ms of the latency's 200 ms") {
            late(&$0)
            $0.stages.queue = MadeUpRun.latency(milliseconds: 190)
            $0.generator?.cpu?.instanceLoop = LoopShares(busy: 0.9)
        },
        Case("publishing itself takes long", .broadcastThread, "publish grew by 149 ms") {
            late(&$0)
            $0.stages.publish = MadeUpRun.latency(milliseconds: 150)
        },
        Case("other programs use the machine", .otherPrograms, "99 % busy, and 40 % were used by programs") {
            late(&$0)
            $0.stages.queue = MadeUpRun.latency(milliseconds: 190)
            $0.generator?.cpu?.machineBusy = 0.99
            $0.generator?.cpu?.otherPrograms = 0.4
        },
        Case("others use what the system leaves", .broadcastThread, "queue grew by 189 ms") {
            late(&$0)
            $0.stages.queue = MadeUpRun.latency(milliseconds: 190)
            $0.generator?.cpu?.machineBusy = 0.8
            $0.generator?.cpu?.otherPrograms = 0.4
        },
        Case("each broadcast waits for the one before it", .publishers, "worker grew by 180 ms") {
            late(&$0)
            $0.stages.queue.count = 0
            $0.stages.worker = MadeUpRun.latency(milliseconds: 180)
        },
        Case("publishers wait for a full loop", .instanceLoop, "had work for 90 %") {
            late(&$0)
            $0.stages.queue.count = 0
            $0.stages.worker = MadeUpRun.latency(milliseconds: 180)
            $0.generator?.cpu?.instanceLoop = LoopShares(busy: 0.9)
        },
        Case("the wire ends at loops that lack a CPU", .generator, "had no CPU for 55 %") {
            late(&$0)
            $0.stages.wire = MadeUpRun.latency(milliseconds: 180)
            $0.generator?.cpu?.recordingLoop = LoopShares(busy: 0.09, waiting: 0.11, waitPerWake: 200_000)
        },
        Case("the wire ends at loops that are late", .generator, "late to what was due by 30 ms") {
            late(&$0)
            $0.stages.wire = MadeUpRun.latency(milliseconds: 180)
            $0.generator?.clientLoopStalls = MadeUpRun.latency(milliseconds: 30)
        },
        Case("late clients lengthen no queue", .broadcastThread, "queue grew by 189 ms") {
            late(&$0)
            $0.stages.queue = MadeUpRun.latency(milliseconds: 190)
            $0.generator?.clientLoopStalls = MadeUpRun.latency(milliseconds: 30)
        },
        Case("late clients measure a target", .generator, "late to what was due by 30 ms") {
            late(&$0)
            $0.setup.manager = "target"
            $0.stages = StageLatencies()
            $0.generator?.clientLoopStalls = MadeUpRun.latency(milliseconds: 30)
        },
        Case("the workers are late", .threadPool, "worker grew by 180 ms") {
            late(&$0)
            $0.stages.worker = MadeUpRun.latency(milliseconds: 180)
        },
        Case("the broker is late, and the loop has time", .redis, "broker grew by 179 ms") {
            late(&$0)
            $0.stages.broker = MadeUpRun.latency(milliseconds: 180)
        },
        Case("the broker seems late since the loop is full", .instanceLoop, "had work for 95 %") {
            late(&$0)
            $0.stages.broker = MadeUpRun.latency(milliseconds: 180)
            $0.generator?.cpu?.instanceLoop = LoopShares(busy: 0.7, waiting: 0.25)
        },
        Case("writing takes long", .instanceLoop, "write grew by 179 ms") {
            late(&$0)
            $0.stages.write = MadeUpRun.latency(milliseconds: 180)
        },
        Case("the wire takes long", .clientSockets, "wire grew by 179 ms") {
            late(&$0)
            $0.stages.wire = MadeUpRun.latency(milliseconds: 180)
        },
        Case("no stage makes half of it, and an instance has a core", .instanceLoop, "used 91 % of a core") {
            late(&$0)
            $0.stages.broker = MadeUpRun.latency(milliseconds: 60)
            $0.stages.wire = MadeUpRun.latency(milliseconds: 60)
            $0.resources.instances[1] = MadeUpRun.usage(cpuSeconds: 9.1)
        },
        Case("a target shows nothing", .target, "its processes used 150 % of a core") {
            late(&$0)
            $0.setup.manager = "target"
            $0.stages = StageLatencies()
            $0.resources.instances = [MadeUpRun.usage(cpuSeconds: 9), MadeUpRun.usage(cpuSeconds: 6)]
        },
        Case("the whole machine is busy", .machine, "98 % busy") {
            late(&$0)
            $0.generator?.cpu?.machineBusy = 0.98
        },
        Case("no figure tells", .unknown, "no part of the system") { late(&$0) },
    ]

    @Test("The first rule that applies decides, and says by which figures", arguments: cases)
    func rules(_ each: Case) {
        let found = Exhaustion.judge(missed: [MadeUpRun.result(each.change)], carried: [MadeUpRun.result()])
        #expect(found.resource == each.resource, "\(found)")
        #expect(found.evidence.joined(separator: "; ").contains(each.words), "\(found)")
    }

    @Test("Most of the missed runs decide")
    func majority() {
        let redis = MadeUpRun.result { $0.resources.redis?.cpuSeconds = 9 }
        let late = MadeUpRun.result { $0.scheduleSlip = MadeUpRun.latency(milliseconds: 30) }
        #expect(Exhaustion.judge(missed: [late, redis, redis], carried: []).resource == .redis)
        #expect(Exhaustion.judge(missed: [late, late, redis], carried: []).resource == .generator)
        #expect(Exhaustion.judge(missed: [], carried: []).resource == .unknown)
    }

    @Test("Without a carried load the stages are taken as they are")
    func nothingCarried() {
        let missed = MadeUpRun.result {
            $0.latency = MadeUpRun.latency(milliseconds: 200)
            $0.stages.queue = MadeUpRun.latency(milliseconds: 150)
        }
        #expect(Exhaustion.judge(missed: [missed], carried: []).resource == .broadcastThread)
    }
}
