import WSMCore

/// Keeps the wanted channels subscribed over connections that come and go.
///
/// Sans-IO: time and random numbers are arguments, and each event answers what to do, in order. Channels keep the order in
/// which they were asked for.
struct RedisSubscriberStateMachine {
    enum Action: Equatable {
        case connect
        /// Set the timer that leads to ``timerFired()``.
        case wait(TimeSpan)
        case subscribe([ChannelName])
        case unsubscribe([ChannelName])
        case report(RedisClientEvent)
        case closeConnection
    }

    private var link: RedisLinkStateMachine
    private var wanted: [ChannelName] = []
    /// Wanted channels that Redis has not confirmed on the present connection.
    private var unconfirmed: [ChannelName] = []
    /// The channels of what was sent on the present connection and is not confirmed, either way, in order.
    private var outstanding: [ChannelName] = []
    /// When the last connection that had channels ended; `nil` once all are subscribed again.
    private var downSince: MonotonicInstant?

    init(backoff: BackoffPolicy) {
        link = RedisLinkStateMachine(backoff: backoff)
    }

    /// The owner wants these channels.
    ///
    /// Those that it has already are left as they are.
    mutating func subscribe(_ channels: [ChannelName]) -> [Action] {
        guard !link.isClosed else { return [] }
        var added: [ChannelName] = []
        for channel in channels where !wanted.contains(channel) {
            wanted.append(channel)
            added.append(channel)
        }
        guard !added.isEmpty else { return [] }
        if link.isUp {
            unconfirmed += added
            outstanding += added
            return [.subscribe(added)]
        }
        return link.needed() == .connect ? [.connect] : []
    }

    /// The owner no longer wants these channels.
    mutating func unsubscribe(_ channels: [ChannelName], now: MonotonicInstant) -> [Action] {
        let removed = wanted.filter(channels.contains)
        guard !removed.isEmpty else { return [] }
        wanted.removeAll(where: removed.contains)
        unconfirmed.removeAll(where: removed.contains)
        guard link.isUp else { return removed.map { .report(.unsubscribed($0)) } }
        outstanding += removed
        return [.unsubscribe(removed)] + resubscribedIfComplete(now: now)
    }

    /// The connection is there and logged in.
    mutating func opened(now: MonotonicInstant) -> [Action] {
        guard link.opened() == .use else { return [.closeConnection] }
        unconfirmed = wanted
        outstanding = wanted
        let complete = resubscribedIfComplete(now: now)
        return wanted.isEmpty ? complete : [.subscribe(wanted)]
    }

    /// Redis has confirmed a channel.
    mutating func confirmed(_ channel: ChannelName, now: MonotonicInstant) -> [Action] {
        guard isLastWord(on: channel), let index = unconfirmed.firstIndex(of: channel) else { return [] }
        unconfirmed.remove(at: index)
        return [.report(.subscribed(channel))] + resubscribedIfComplete(now: now)
    }

    /// Redis has confirmed the end of a channel.
    mutating func removed(_ channel: ChannelName) -> [Action] {
        guard isLastWord(on: channel), !wanted.contains(channel) else { return [] }
        return [.report(.unsubscribed(channel))]
    }

    /// Whether messages of `channel` are still wanted.
    func wants(_ channel: ChannelName) -> Bool { wanted.contains(channel) }

    /// No connection came about, or the one that there was has ended; `unit` is a random number in [0, 1).
    mutating func failed(_ error: RedisError, now: MonotonicInstant, unit: Double) -> [Action] {
        guard case .wait(let span) = link.failed(unit: unit) else { return [] }
        downSince = downSince ?? now
        return [.report(.down(error, retryAfter: span)), .wait(span)]
    }

    /// The time to wait is over.
    mutating func timerFired() -> [Action] {
        link.timerFired() == .connect ? [.connect] : []
    }

    /// The owner is done; nothing is reported from now on.
    mutating func close() -> [Action] {
        let wasUp = link.isUp
        link.close()
        return wasUp ? [.closeConnection] : []
    }

    /// Takes a confirmation in; `false` if what was asked for later about the channel is still to be confirmed.
    private mutating func isLastWord(on channel: ChannelName) -> Bool {
        guard link.isUp, let index = outstanding.firstIndex(of: channel) else { return false }
        outstanding.remove(at: index)
        return !outstanding.contains(channel)
    }

    private mutating func resubscribedIfComplete(now: MonotonicInstant) -> [Action] {
        guard unconfirmed.isEmpty, let since = downSince else { return [] }
        downSince = nil
        return [.report(.resubscribed(after: now - since))]
    }
}
