import Testing
import WSMCore
import WSMManagers
import WSMRecord

@testable import WSMSimulation

/// The simulated Redis under a script.
@MainActor
final class SimulatedBroker: BrokerUnderTest {
    var transcript = Transcript()
    private let simulator = Simulator()
    private let server: RedisServer
    private var subscribers: [String: RedisLink] = [:]
    private var publishers: [String: RedisLink] = [:]
    /// Subscribers that do not read, and whether their connection has ended meanwhile.
    private var deaf: [String: Bool] = [:]
    /// A defect to be found: each so many-th message is lost on its way to its subscriber.
    private let lostEvery: Int?
    private var arrived = 0

    init(lostEvery: Int? = nil) {
        self.lostEvery = lostEvery
        server = RedisServer(simulator, costs: CostModel(), limits: .init(hard: pubsubLimit, soft: nil))
    }

    private func connect() throws -> RedisLink {
        var link: RedisLink?
        server.connect(through: nil) { link = $0 }
        simulator.run(until: simulator.now + .seconds(1)) { link != nil }
        return try #require(link)
    }

    func subscribe(_ name: String, to channel: ChannelName) throws {
        let link = try connect()
        var isConfirmed = false
        link.receive = { [unowned self] output in
            for item in output {
                switch item {
                case .subscribed: isConfirmed = true
                case .message(let message): received(message, by: name)
                case .published, .pong: break
                }
            }
        }
        link.closed = { [unowned self] in
            if deaf[name] == nil { transcript.note(name, "down") } else { deaf[name] = true }
        }
        subscribers[name] = link
        server.send(.subscribe(channel), on: link)
        #expect(simulator.run(until: simulator.now + .seconds(1)) { isConfirmed })
    }

    private func received(_ message: Message, by name: String) {
        arrived += 1
        if let lostEvery, arrived.isMultiple(of: lostEvery) { return }
        transcript.note(name, "\(message.stamp.sequence)")
    }

    func leave(_ name: String) throws {
        let link = try #require(subscribers[name])
        subscribers[name] = nil
        server.close(link)
        simulator.run(until: simulator.now + .milliseconds(10))
    }

    func setReading(_ reads: Bool, of name: String) throws {
        let link = try #require(subscribers[name])
        if !reads { deaf[name] = false }
        let hasEnded = reads ? deaf.removeValue(forKey: name) == true : false
        server.setReading(reads, of: link)
        // What the kernel had for it came before its end.
        if hasEnded { transcript.note(name, "down") }
    }

    func publish(_ name: String, _ numbers: Range<Int>, to channels: [ChannelName], bytes: Int) throws -> [[Int]?] {
        let link = try publishers[name] ?? connect()
        publishers[name] = link
        var replies: [[Int]?] = []
        link.receive = { output in
            for case .published(let receivers) in output { replies.append(receivers) }
        }
        send(numbers, on: link, to: channels, bytes: bytes)
        simulator.run(until: simulator.now + .seconds(10)) { replies.count == numbers.count }
        return replies + Array(repeating: nil, count: numbers.count - replies.count)
    }

    private func send(_ numbers: Range<Int>, on link: RedisLink, to channels: [ChannelName], bytes: Int) {
        for number in numbers {
            let stamp = ProbeStamp(
                run: 1, publisher: PublisherID(1), sequence: UInt64(number), intended: simulator.now)
            server.send(.publish(channels, Message(stamp, bytes: bytes)), on: link)
        }
    }

    func publishTogether(_ publishers: [String: Range<Int>], to channels: [ChannelName]) throws {
        let links = try publishers.sorted { $0.key < $1.key }.map { (try connect(), $0.value) }
        for step in 0..<(publishers.values.map(\.count).max() ?? 0) {
            for (link, numbers) in links where step < numbers.count {
                send(numbers.dropFirst(step).prefix(1), on: link, to: channels, bytes: 100)
            }
        }
    }

    func restart() {
        server.kill()
        simulator.run(until: simulator.now + .milliseconds(20))
        server.start()
    }

    func settle(_ what: String, _ condition: (Transcript) -> Bool) {
        let isSettled = simulator.run(until: simulator.now + .seconds(10)) { condition(transcript) }
        // A planted loss is waited for in vain.
        #expect(isSettled || lostEvery != nil, "simulated, in vain for: \(what)")
    }

    func end() {
        simulator.clear()
        server.forgetOwners()
    }
}
