internal import Synchronization
public import WSMCore

/// Finds the server of a ``RedisTopology`` that a channel is published and subscribed at.
///
/// One for all publishers and subscribers of a manager: what one learns of a cluster's slots, the others know.
public final class RedisRouter: Sendable {
    /// How often a `MOVED` is followed before the cluster counts as contradicting itself.
    public static let maximumRedirections = 5
    public let topology: RedisTopology
    /// How long one sentinel, or one node asked for its slots, may take.
    let questionDeadline: TimeSpan
    /// `nil`: to be asked for.
    private let slots = Mutex<SlotTable?>(nil)
    /// The master that a sentinel has told of, which is still listened to; `nil`: whom the sentinels name when asked.
    private let newMaster = Mutex<RedisURL?>(nil)

    public init(_ topology: RedisTopology, questionDeadline: TimeSpan = .seconds(1)) {
        self.topology = topology
        self.questionDeadline = questionDeadline
    }

    /// Takes in that the sentinels have changed the master.
    func masterChanged(to url: RedisURL?) { newMaster.withLock { $0 = url } }

    /// Whether `url` is known not to be the master any more, though it may say so itself.
    public func isFormerMaster(_ url: RedisURL) -> Bool {
        guard topology.requiresMaster else { return false }
        return newMaster.withLock { $0.map { $0 != url } ?? false }
    }

    /// The master in a sentinel's reply.
    ///
    /// - Throws: ``RedisError``, `notMaster` when the sentinel has not heard of the failover that others told of.
    func master(in reply: RedisReply, named name: String, by sentinel: RedisURL) throws(RedisError) -> RedisURL {
        let url = try SentinelAnswer.master(reply, named: name, by: sentinel)
        guard isFormerMaster(url) else { return url }
        throw RedisError(.notMaster, "the sentinel at \(sentinel) still names \(url), which is not the master any more")
    }

    /// The node that has the slot, as far as is known.
    func owner(of slot: HashSlot) -> RedisURL? { slots.withLock { $0?.owner(of: slot) } }

    func learn(_ table: SlotTable) { slots.withLock { $0 = table } }

    /// Whether nothing is known of the slots.
    var needsSlots: Bool { slots.withLock { $0 == nil } }

    /// What is known of the slots may be wrong: they are asked for before they are used again.
    public func forgetSlots() { slots.withLock { $0 = nil } }

    /// Takes in a redirection that the node at `url` has answered with.
    ///
    /// - Throws: `protocolViolation` when the cluster has named more nodes than it can have.
    func follow(_ redirection: RedisRedirection, askedAt url: RedisURL) throws(RedisError) {
        let failure = slots.withLock { table -> RedisError? in
            var changed = table ?? SlotTable()
            do throws(RedisError) {
                try changed.move(redirection, askedAt: url)
            } catch {
                table = nil
                return error
            }
            table = changed
            return nil
        }
        if let failure { throw failure }
    }

    func noOwner(of slot: HashSlot) -> RedisError {
        RedisError(.unavailable, "no node of the Redis cluster has slot \(slot.number)")
    }

    static func tooManyRedirections(_ last: RedisError) -> RedisError {
        RedisError(
            .tooManyRedirections,
            "the Redis cluster sent a command on more than \(maximumRedirections) times: its nodes contradict each other",
            cause: last)
    }

    static var noServer: RedisError { RedisError(.connectFailed, "the Redis topology names no server") }
}
