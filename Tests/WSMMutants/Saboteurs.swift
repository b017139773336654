import WSMCore
import WSMManagers
import WSMSimulation

/// Who is admitted, in the order of coming: what the fan-out's own list is made of.
private struct Members {
    private(set) var clients: [ClientID] = []

    mutating func follow(_ effects: [ManagerEffect<Message>]) {
        for effect in effects {
            switch effect {
            case .admit(let client, _): clients.append(client)
            case .forget(let client): clients.removeAll { $0 == client }
            default: break
            }
        }
    }
}

extension ManagerEffect<Message> {
    /// A fan-out to others than all.
    fileprivate func only(_ pick: ([ClientID]) -> [ClientID], of members: [ClientID]) -> ManagerEffect<Message> {
        guard case .send(let message, .channel) = self else { return self }
        return .send(message, to: .clients(pick(members)[...]))
    }

    fileprivate var isFanOut: Bool { if case .send(_, .channel) = self { true } else { false } }
}

/// A cursor over chunks of four that, every third time, begins each further chunk at its second.
final class Cursor: Saboteur {
    private var members = Members()
    private var count = 0

    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        members.follow(effects)
        let clients = members.clients
        guard clients.count > 4 else { return }
        for place in effects.indices where effects[place].isFanOut {
            count += 1
            guard count % 3 == 0 else { continue }
            effects[place] = effects[place].only(
                { all in all.enumerated().filter { $0.offset < 4 || $0.offset % 4 != 0 }.map(\.element) }, of: clients)
        }
    }
}

/// A removal that moves the last client into the gap, and a fan-out that goes by the old end.
final class SwapRemove: Saboteur {
    private var members = Members()
    private var hasShrunk = false

    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        members.follow(effects)
        for place in effects.indices {
            if case .forget = effects[place] { hasShrunk = true }
            guard hasShrunk, effects[place].isFanOut, !members.clients.isEmpty else { continue }
            hasShrunk = false
            effects[place] = effects[place].only({ $0.dropLast() }, of: members.clients)
        }
    }
}

/// A broker that is lost again while an instance tries to come back is not asked again.
final class Forgetful: Saboteur {
    private var tries: [SubscriptionID: Int] = [:]

    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        guard case .timer(.resubscribe(let id)) = input else { return }
        tries[id, default: 0] += 1
        guard tries[id, default: 0] > 1 else { return }
        effects.removeAll { if case .subscribe = $0 { true } else { false } }
    }
}

/// A mark that leaves out the first.
final class Unmarked: Saboteur {
    private var members = Members()

    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        members.follow(effects)
        for place in effects.indices {
            guard case .close(.channel, .brokerGap) = effects[place] else { continue }
            effects[place] = .close(.clients(members.clients.dropFirst()), .brokerGap)
        }
    }
}

/// A pipeline whose second broadcast gets its reply and reaches nobody.
final class SecondLost: Saboteur {
    func bend(_ channels: inout [ChannelName], place: Int, isAfterLoss: Bool) {
        if place == 1 { channels = [] }
    }
}

/// A thread that misses what was put while it was busy.
final class Sleeper: Saboteur {
    var sleepsWithoutLooking: Bool { true }
}

/// A queue that is a stack once it has grown.
final class Stack: Saboteur {
    func takesNewestFirst(of count: Int) -> Bool { count >= 4 }
}

/// A stop that ends the thread and not its work.
final class Undrained: Saboteur {
    var leavesQueueAtStop: Bool { true }
}

/// A buffer of the last message that greets whoever comes.
final class Welcome: Saboteur {
    private var last: Message?

    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        for effect in effects {
            if case .send(let message, .channel) = effect { last = message }
        }
        guard case .clientOpened(let client, _) = input, let last, !effects.isEmpty else { return }
        effects.append(.send(last, to: .client(client)))
    }
}

/// A retry of what may have been published, which nobody counts.
final class Retry: Saboteur {
    func bend(_ channels: inout [ChannelName], place: Int, isAfterLoss: Bool) {
        if isAfterLoss, place == 0 { channels += channels }
    }
}

/// A stop that walks one client too few.
final class LastForgotten: Saboteur {
    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        guard case .shutdown = input else { return }
        for place in effects.indices {
            guard case .close(.clients(let clients), let close) = effects[place] else { continue }
            effects[place] = .close(.clients(clients.dropLast()), close)
        }
    }
}

/// A connection whose frames change places: every 16th waits for the next.
final class Overtaking: Saboteur {
    private var members = Members()
    private var held: (message: Message, client: ClientID)?
    private var count = 0

    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {
        members.follow(effects)
        guard let place = effects.firstIndex(where: \.isFanOut) else { return }
        if let late = held.take() {
            if members.clients.contains(late.client) { effects.append(.send(late.message, to: .client(late.client))) }
            return
        }
        count += 1
        guard count % 16 == 0, let last = members.clients.last, case .send(let message, _) = effects[place] else {
            return
        }
        held = (message, last)
        effects[place] = effects[place].only({ $0.dropLast() }, of: members.clients)
    }
}
