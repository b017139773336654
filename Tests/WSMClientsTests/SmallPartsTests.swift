import NIOCore
import Testing
import WSMCore
import WSMRecord

@testable import WSMClients

@Suite("The parts of a client fleet")
struct SmallPartsTests {
    @Test("A client's frame is masked, and unmasks to its payload")
    func clientFrame() {
        let payload = Array("__ping__ and some more".utf8)
        let bytes = ClientFrame.make(.text, payload, mask: 0x1234_ABCD)
        #expect(Array(bytes[..<6]) == [0x81, 0x80 | UInt8(payload.count), 0x12, 0x34, 0xAB, 0xCD])
        let mask: [UInt8] = [0x12, 0x34, 0xAB, 0xCD]
        #expect(bytes[6...].enumerated().map { $0.element ^ mask[$0.offset % 4] } == payload)
        #expect(ClientFrame.close(code: 1005, mask: 0) == [0x88, 0x80, 0, 0, 0, 0])
    }

    @Test("Only the very text __pong__ is a pong", arguments: ["__pong__", "__ping__", "__pong_", "__pong__ ", ""])
    func pong(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes(ApplicationPing.isPong) == (text == "__pong__"))
    }

    @Test("The agenda gives its entries by instant, and those of one instant in the order they came", arguments: 1...20)
    func agenda(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 3)
        var agenda = Agenda()
        var added: [(due: Int64, slot: Int)] = []
        for slot in 0..<500 {
            let due = Int64(random.below(60))
            added.append((due, slot))
            agenda.add(.ping, at: MonotonicInstant(nanoseconds: due), slot: slot)
        }
        added.sort { ($0.due, $0.slot) < ($1.due, $1.slot) }
        let early = agenda.popDue(at: MonotonicInstant(nanoseconds: -1))
        #expect(early == nil, "seed \(seed)")
        let popped = (0..<500).compactMap { _ in agenda.popDue(at: MonotonicInstant(nanoseconds: 60)) }
        #expect(popped.map { Int($0.slot) } == added.map(\.slot), "seed \(seed)")
        #expect(agenda.nextDue == nil)
    }

    @Test("A slow reader's reads keep its mean rate, and a pause earns it no burst")
    func throttle() {
        var throttle = ReadThrottle(rate: 1000, at: MonotonicInstant(nanoseconds: 0))
        #expect(throttle.chunk == 100)
        throttle.consumed(100, at: MonotonicInstant(nanoseconds: 0))
        #expect(throttle.nextRead.nanoseconds == 100_000_000)
        throttle.consumed(50, at: MonotonicInstant(nanoseconds: 100_000_000))
        #expect(throttle.nextRead.nanoseconds == 150_000_000)
        throttle.consumed(100, at: MonotonicInstant(nanoseconds: 9_000_000_000))
        #expect(throttle.nextRead.nanoseconds == 9_100_000_000)
    }

    @Test("Lateness quantiles are at most a sixteenth too high, and the maximum is exact")
    func lateness() {
        var lateness = TimerLateness()
        #expect(lateness.p99 == .zero)
        for value in 1...1000 { lateness.record(.microseconds(Int64(value))) }
        #expect(lateness.max == .microseconds(1000))
        #expect(lateness.p99 >= .microseconds(990))
        #expect(lateness.p99 <= .microseconds(990).scaled(by: 1.0625))
        #expect(lateness.value(at: 1) == .microseconds(1000))
        var other = TimerLateness()
        other.record(TimeSpan(nanoseconds: .max))
        other.record(TimeSpan(nanoseconds: -5))
        lateness.add(other)
        #expect(lateness.count == 1002)
        #expect(lateness.max.nanoseconds == .max)
        #expect(lateness.value(at: 0) == .zero)
    }

    private let policy = BackoffPolicy(initial: .milliseconds(100), max: .seconds(1), jitter: 0)

    private func at(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("A client backs off longer each time, and begins anew after a long session")
    func backsOff() {
        var life = ClientLifecycle()
        var seen: [ClientLifecycle.Next] = []
        var took: [Bool] = []
        took.append(life.begin())
        seen.append(life.failed(policy, unit: 0))
        took.append(life.begin())
        took.append(life.opened(at: at(0)))
        seen.append(life.ended(.dropped, at: at(10), policy, unit: 0))
        took.append(life.begin())
        took.append(life.opened(at: at(30)))
        seen.append(life.ended(.closedByServer(code: 1001), at: at(1030), policy, unit: 0))
        #expect(took == Array(repeating: true, count: 5))
        #expect(
            seen
                == [100, 200, 100].map { ClientLifecycle.Next.retry(after: .milliseconds($0)) })
    }

    @Test("A client without a policy, or whose server broke the protocol, stays away")
    func staysAway() {
        var life = ClientLifecycle()
        var took = [life.begin()]
        #expect(life.failed(nil, unit: 0) == .stayAway)
        took.append(life.begin())
        var broken = ClientLifecycle()
        took += [broken.begin(), broken.opened(at: at(0))]
        #expect(broken.ended(.protocolError("x"), at: at(1), policy, unit: 0) == .stayAway)
        #expect(took == [true, false, true, true])
    }

    @Test("Inputs that come too late change nothing, and a stopped client does nothing more")
    func tooLate() {
        var life = ClientLifecycle()
        var took = [life.opened(at: at(0)), life.churn(), life.begin()]
        took += [life.begin(), life.churn(), life.opened(at: at(1))]
        #expect(took == [false, false, true, false, false, true])
        #expect(life.failed(policy, unit: 0) == .nothing)
        took = [life.opened(at: at(2)), life.churn(), life.churn()]
        #expect(took == [false, true, false])
        #expect(life.ended(.dropped, at: at(3), policy, unit: 0) == .nothing)
        life.stop()
        took = [life.begin(), life.opened(at: at(4)), life.churn()]
        #expect(took == [false, false, false])
        #expect(life.failed(policy, unit: 0) == .nothing)
    }

    @Test("Failure reasons are bounded, and what is over goes under other")
    func failureReasons() {
        var statistics = FleetStatistics()
        for index in 0..<100 { statistics.countFailure("reason \(index)") }
        #expect(statistics.failures.count == FleetStatistics.reasonLimit)
        #expect(statistics.failures.values.reduce(0, +) == 100)
        var sum = statistics
        sum.add(statistics)
        #expect(sum.failures.count == FleetStatistics.reasonLimit)
        #expect(sum.failures.values.reduce(0, +) == 200)
    }

    @Test("Beyond one address's ports clients leave from further loopback addresses, and only there")
    func sourceAddresses() async throws {
        let loopback = try await ResolvedEndpoint.resolve(ClientEndpoint(host: "localhost", port: 80, path: "/"))
        #expect(loopback.source(ofClient: 0) == nil)
        #expect(loopback.source(ofClient: 23_999) == nil)
        #expect(loopback.source(ofClient: 24_000)?.ipAddress == "127.0.0.2")
        #expect(loopback.source(ofClient: 24_000 * 255)?.ipAddress == "127.0.1.0")
        let remote = try await ResolvedEndpoint.resolve(ClientEndpoint(host: "192.0.2.1", port: 80, path: "/"))
        #expect(remote.source(ofClient: 50_000) == nil)
        #expect(ClientEndpoint(host: "::1", port: 80, path: "/x").url == "ws://[::1]:80/x")
    }

    @Test("Too many clients for the open files is an error that says how many fit")
    func fileLimit() throws {
        let fits = try FileLimit.check(needed: 10)
        #expect(fits >= 10)
        let error = #expect(throws: FileLimitError.self) {
            try FileLimit.check(needed: 1 << 40, descriptorsPerClient: 2)
        }
        let thrown = try #require(error)
        #expect(thrown.clients == 1 << 40)
        #expect(thrown.fits > 0 && thrown.fits * 2 < thrown.limit)
        #expect(thrown.description.contains("\(thrown.fits) clients fit"))
        #expect(throws: FileLimitError.self) { try FileLimit.check(needed: .max, descriptorsPerClient: 2) }
    }
}
