import WSMCore
import WSMRecord

/// Which of two messages a session received first, and what is known of messages: the ground of the checkers of order.
///
/// Places are those of the session's own order. Sessions are asked for by loop and number.
struct ReceiptOrder {
    let loops: [LoopRecord]
    /// For each loop and order the sessions that follow it.
    let followers: [[[Int]]]
    private let detours: [[UInt32: SessionDetours]]
    let histories: [Int: PublisherHistory]

    /// A session of a loop.
    struct Follower: Hashable {
        var loop: Int
        var session: Int
    }

    init(loops: [LoopRecord], history: [PublisherHistory]) {
        self.loops = loops
        followers = loops.map { loop in
            var lists = [[Int]](repeating: [], count: loop.ledger.orders.count)
            for index in loop.sessions.indices {
                if let order = loop.ledger.order(ofInstance: loop.sessions[index].instance) {
                    lists[order].append(index)
                }
            }
            return lists
        }
        detours = loops.map { loop in
            Dictionary(grouping: loop.ledger.detours, by: \.session).mapValues { SessionDetours($0) }
        }
        histories = Dictionary(history.map { (Int($0.publisher), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether the session received the message at `first` before the one at `second`; `nil` unless it received both, or
    /// nobody can tell.
    func isBefore(_ first: Int, _ second: Int, _ follower: Follower) -> Bool? {
        if first > second { return isBefore(second, first, follower).map { !$0 } }
        let ledger = loops[follower.loop].ledger
        guard ledger.hasReceived(follower.session, first), ledger.hasReceived(follower.session, second),
            !ledger.isBlurred(session: follower.session)
        else { return nil }
        guard let own = detours[follower.loop][UInt32(follower.session)],
            let detour = own.index(covering: first)
        else { return true }
        if let other = own.index(covering: second) { return detour <= other }
        return Int(own[detour].reached) <= second
    }

    /// The session as witnesses name it.
    func name(_ follower: Follower) -> String {
        let session = loops[follower.loop].sessions[follower.session]
        return "client \(session.client) (instance \(session.instance))"
    }

    func client(_ follower: Follower) -> UInt32 { loops[follower.loop].sessions[follower.session].client }

    /// When the message was handed over, or else submitted; `nil` for one that nobody submitted.
    func begin(_ key: UInt64, channel: UInt8) -> Int64? {
        guard let (history, index) = find(key, channel) else { return nil }
        return history.published[index] != 0 ? history.published[index] : history.submitted[index]
    }

    /// When the broker or the manager confirmed the message; `nil` when nobody did.
    func acknowledged(_ key: UInt64, channel: UInt8) -> Int64? {
        guard let (history, index) = find(key, channel), history.outcome(of: index) == .published,
            history.settled[index] != 0
        else { return nil }
        return history.settled[index]
    }

    /// A message as witnesses name it: `publisher:sequence`.
    static func name(_ key: UInt64) -> String {
        "\(ChannelOrder.publisher(of: key)):\(ChannelOrder.sequence(of: key))"
    }

    private func find(_ key: UInt64, _ channel: UInt8) -> (ChannelHistory, Int)? {
        let index = ChannelOrder.sequence(of: key)
        guard let history = histories[ChannelOrder.publisher(of: key)]?.history(of: channel), index < history.count
        else { return nil }
        return (history, index)
    }
}
