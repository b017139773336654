import WSMCore
import WSMVerify

/// Brings what instances have written to their clients.
///
/// One write to a group of clients is one *flight*: a cursor that walks over the group, however large it is. The flight to n
/// clients takes n times as long as one write, as an event loop's does.
final class Courier {
    /// One write of some messages to each of a group of clients.
    private struct Flight {
        var members: [Int32]
        var messages: [Message]
        var place = 0
        /// When the next of the members has it, in nanoseconds.
        var next: Int64
        var step: Int64
    }

    /// Receipts that are handed to the observer in one call.
    private static let chunk = 512

    private let simulator: Simulator
    private let fleet: Fleet
    private var flights: ContiguousArray<Flight?> = []
    private var free: [Int] = []
    private var agenda = EventQueue<Int>()
    private var receipts: ContiguousArray<StampedReceipt> = []

    init(_ simulator: Simulator, _ fleet: Fleet) {
        self.simulator = simulator
        self.fleet = fleet
        receipts.reserveCapacity(Courier.chunk)
        simulator.deliver = { [unowned self] in deliver(before: $0) }
        simulator.deliversAtOnce = { [unowned fleet] in fleet.backlogCount > 0 }
    }

    /// Sends messages to the connections in `members`, one after the other.
    ///
    /// - Parameters:
    ///   - messages: What each of them gets, in this order.
    ///   - members: Connections, in the order of the writes.
    ///   - first: When the first of them has it.
    ///   - step: How much later each next one has it.
    func send(_ messages: [Message], to members: [Int32], first: MonotonicInstant, step: TimeSpan) {
        guard !members.isEmpty else { return }
        let flight = Flight(members: members, messages: messages, next: first.nanoseconds, step: step.nanoseconds)
        let slot: Int
        if let known = free.popLast() {
            slot = known
            flights[slot] = flight
        } else {
            slot = flights.count
            flights.append(flight)
        }
        agenda.push(slot, at: flight.next)
    }

    /// Makes every delivery that comes before the instant.
    private func deliver(before horizon: Int64) {
        while let next = agenda.nextTime, next < horizon, let entry = agenda.pop() {
            let slot = entry.element
            guard var flight = flights[slot].take() else { continue }
            while flight.place < flight.members.count, flight.next < horizon { fly(&flight, before: horizon) }
            if flight.place < flight.members.count {
                agenda.push(slot, at: flight.next)
                flights[slot] = flight
            } else {
                free.append(slot)
            }
        }
    }

    /// Takes a flight on by up to one chunk of clients.
    private func fly(_ flight: inout Flight, before horizon: Int64) {
        receipts.removeAll(keepingCapacity: true)
        var hash = simulator.hash
        var end = min(flight.members.count, flight.place + Courier.chunk)
        var at = flight.next
        var place = flight.place
        while place < end {
            guard at < horizon else {
                end = place
                break
            }
            let connection = Int(flight.members[place])
            let session = fleet.session(receivingOn: connection)
            if session >= 0 {
                receipts.append(StampedReceipt(session: session, at: MonotonicInstant(nanoseconds: at)))
                hash.mix(UInt64(UInt32(bitPattern: session)), UInt64(bitPattern: at))
            } else if session == Fleet.backlogged {
                for message in flight.messages { fleet.queue(message, on: connection, at: .init(nanoseconds: at)) }
            }
            place += 1
            at += flight.step
        }
        flight.place = end
        flight.next = at
        for message in flight.messages {
            hash.mix(UInt64(message.stamp.publisher.rawValue), message.stamp.sequence)
        }
        simulator.hash = hash
        for message in flight.messages {
            fleet.received(receipts, of: message)
        }
    }
}
