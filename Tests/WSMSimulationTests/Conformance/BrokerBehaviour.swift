import Testing
import WSMCore

/// What a broker does, each as a script for any broker: the transcripts of two of them are to be the same.
enum BrokerBehaviour: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case delivery = "each subscriber of a channel gets its messages once and in order, and others get nothing"
    case receivers = "the reply of PUBLISH counts the subscribers of the moment"
    case adjacency = "two messages of one transaction are adjacent for each subscriber"
    case restart = "a restart ends all connections, and who subscribes anew gets what comes then"
    case kick = "a subscriber that does not read is cut off at the limit of its output buffer, and nobody else"

    var testDescription: String { rawValue }

    @MainActor
    func run(on broker: any BrokerUnderTest) async throws -> Transcript {
        switch self {
        case .delivery: try await delivery(broker)
        case .receivers: try await receivers(broker)
        case .adjacency: try await adjacency(broker)
        case .restart: try await restart(broker)
        case .kick: try await kick(broker)
        }
        return broker.transcript
    }

    @MainActor
    private func delivery(_ broker: any BrokerUnderTest) async throws {
        try await broker.subscribe("a", to: .events)
        try await broker.subscribe("b", to: .events)
        try await broker.subscribe("other", to: .engineSettings)
        _ = try await broker.publish("p", 0..<200, to: [.events], bytes: 300)
        _ = try await broker.publish("p", 200..<201, to: [.engineSettings], bytes: 300)
        try await broker.settle("all messages") {
            $0.count("a") >= 200 && $0.count("b") >= 200 && $0.count("other") >= 1
        }
    }

    @MainActor
    private func receivers(_ broker: any BrokerUnderTest) async throws {
        func note(_ channels: [ChannelName]) async throws {
            let replies = try await broker.publish("p", 0..<1, to: channels, bytes: 100)
            for reply in replies { broker.transcript.note("replies", reply.map { "\($0)" } ?? "failed") }
        }
        try await note([.events])
        try await broker.subscribe("a", to: .events)
        try await note([.events])
        try await broker.subscribe("b", to: .events)
        try await broker.subscribe("other", to: .engineSettings)
        try await note([.events])
        try await note([.events, .engineSettings, .processes])
        try await broker.settle("what comes before the leaving") { $0.count("a") >= 3 }
        try await broker.leave("a")
        try await note([.events])
        try await broker.settle("all messages") { $0.count("b") >= 3 && $0.count("other") >= 1 }
    }

    /// Of the order in which the publishers' transactions come only what holds of every order is noted.
    @MainActor
    private func adjacency(_ broker: any BrokerUnderTest) async throws {
        try await broker.subscribe("a", to: .events)
        try await broker.subscribe("b", to: .events)
        let publishers = ["p": 0..<100, "q": 1000..<1100]
        try await broker.publishTogether(publishers, to: [.events, .events])
        try await broker.settle("all messages") { $0.count("a") >= 400 && $0.count("b") >= 400 }
        let seen = broker.transcript
        broker.transcript = Transcript()
        for name in ["a", "b"] {
            let numbers = seen.lines[name, default: []].compactMap(Int.init)
            let pairs = stride(from: 0, to: numbers.count - 1, by: 2).filter { numbers[$0] == numbers[$0 + 1] }
            broker.transcript.note(name, "\(pairs.count) pairs of \(numbers.count) messages")
            for (publisher, range) in publishers.sorted(by: { $0.key < $1.key }) {
                let own = numbers.filter(range.contains)
                broker.transcript.note(name, "\(publisher) in order: \(own == own.sorted())")
            }
        }
    }

    @MainActor
    private func restart(_ broker: any BrokerUnderTest) async throws {
        try await broker.subscribe("a", to: .events)
        try await broker.subscribe("b", to: .events)
        _ = try await broker.publish("p", 0..<3, to: [.events], bytes: 100)
        try await broker.settle("the first messages") { $0.count("a") >= 3 && $0.count("b") >= 3 }
        try await broker.restart()
        try await broker.settle("the ends") { $0.says("a", "down") && $0.says("b", "down") }
        for reply in try await broker.publish("p2", 3..<4, to: [.events], bytes: 100) {
            broker.transcript.note("replies", reply.map { "\($0)" } ?? "failed")
        }
        try await broker.subscribe("a", to: .events)
        for reply in try await broker.publish("p2", 4..<6, to: [.events], bytes: 100) {
            broker.transcript.note("replies", reply.map { "\($0)" } ?? "failed")
        }
        try await broker.settle("the last messages") { $0.says("a", "5") }
    }

    /// How many messages the kernel takes before Redis has to keep any is not noted.
    @MainActor
    private func kick(_ broker: any BrokerUnderTest) async throws {
        try await broker.subscribe("deaf", to: .events)
        try await broker.subscribe("b", to: .events)
        try await broker.setReading(false, of: "deaf")
        var replies: [[Int]?] = []
        for batch in 0..<40 {
            let numbers = batch * 10..<(batch + 1) * 10
            replies += try await broker.publish("p", numbers, to: [.events], bytes: 100_000)
            try await broker.settle("the batch") { $0.count("b") >= numbers.upperBound }
        }
        broker.transcript.note(
            "replies", "first \(replies.first.flatMap(\.self) ?? []), last \(replies.last.flatMap(\.self) ?? [])")
        try await broker.setReading(true, of: "deaf")
        try await broker.settle("the end of who did not read") { $0.says("deaf", "down") }
        let seen = broker.transcript
        broker.transcript = Transcript()
        for (name, lines) in seen.lines where name != "deaf" {
            for line in lines { broker.transcript.note(name, line) }
        }
        let lines = seen.lines["deaf", default: []]
        let numbers = lines.dropLast().compactMap(Int.init)
        broker.transcript.note(
            "deaf", "a gapless beginning: \(numbers == Array(0..<numbers.count)), not all: \(numbers.count < 400)")
        broker.transcript.note("deaf", lines.last ?? "nothing")
    }
}
