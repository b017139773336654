public import WSMCore

/// A manager as a state machine without I/O: an event goes in, effects come out.
///
/// It reads no clock and draws no random number of its own; the same inputs give the same effects, live and simulated. It
/// is confined to whoever drives it: one event loop, or the simulation's loop.
public protocol ManagerMachine<Payload> {
    associatedtype Payload

    /// Takes one event and appends what is to be done to `effects`, which the driver reuses.
    mutating func handle(
        _ input: ManagerInput<Payload>, now: MonotonicInstant, effects: inout [ManagerEffect<Payload>])

    /// Clients that the manager counts as connected.
    var clientCount: Int { get }
}

/// Clients in the order of their connecting, with removal: what `disconnect_all` and the serial walk go by.
///
/// Removal is O(n), as it is in the reference's lists; the hardened policies touch it only when a client leaves.
struct ClientRoster {
    private(set) var order: [ClientID] = []

    var count: Int { order.count }
    var isEmpty: Bool { order.isEmpty }

    mutating func append(_ client: ClientID) { order.append(client) }

    mutating func remove(_ client: ClientID) {
        // Numbers grow in the order of connecting, so the list is sorted and a binary search finds the place.
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < client { low = middle + 1 } else { high = middle }
        }
        if low < order.count, order[low] == client { order.remove(at: low) }
    }

    /// Whom `disconnect_all` reaches: all, or every second one where it changes the list that it walks.
    func reached(by policy: DisconnectAllPolicy) -> [ClientID] {
        switch policy {
        case .complete: order
        case .skipping: stride(from: 0, to: order.count, by: 2).map { order[$0] }
        }
    }
}
