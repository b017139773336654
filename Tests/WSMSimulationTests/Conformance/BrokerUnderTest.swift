import WSMCore

/// A broker under a script: the simulated Redis or a real one.
///
/// Subscribers and publishers are known by names and have a connection each. What subscribers see gathers in the transcript:
/// the number of each message, and `down` once their connection has ended.
@MainActor
protocol BrokerUnderTest: AnyObject {
    var transcript: Transcript { get set }

    /// Connects and subscribes; returns when the broker has confirmed.
    func subscribe(_ name: String, to channel: ChannelName) async throws
    /// The subscriber closes its connection; returns when the broker has noticed.
    func leave(_ name: String) async throws
    func setReading(_ reads: Bool, of name: String) async throws
    /// Publishes, on one connection, transactions of one `PUBLISH` to each channel, pipelined; returns for each how many
    /// subscribers each of its messages went to, or `nil` where it failed.
    func publish(_ name: String, _ numbers: Range<Int>, to channels: [ChannelName], bytes: Int) async throws -> [[Int]?]
    /// The same of several publishers at one time.
    func publishTogether(_ publishers: [String: Range<Int>], to channels: [ChannelName]) async throws
    /// The broker dies, and is back, empty.
    func restart() async throws
    /// Lets time pass until the transcript is so; fails the test when that takes too long.
    func settle(_ what: String, _ condition: (Transcript) -> Bool) async throws
    func end() async
}

/// The broker keeps at most this much for a subscriber that does not read.
let pubsubLimit = 1 << 20
