import WSMCore
import WSMVerify

/// The event loops of the client fleet on a shared machine: what has come to a socket is received when its loop gets to it.
///
/// A loop sleeps until something comes, wakes, takes all that lies in its sockets by then, and receives it one read after the
/// other. Its CPU time is the load generator's own, and part of every measured latency, as in a live run.
final class ClientLoops {
    /// What one write of an instance brings to one client.
    final class Parcel {
        let messages: [Message]
        /// The thread that writes it.
        let writer: SimulatedThread?

        init(_ messages: [Message], writer: SimulatedThread?) {
            self.messages = messages
            self.writer = writer
        }
    }

    private struct Arrival {
        let connection: Int32
        let parcel: Parcel
    }

    private final class Loop {
        let thread: SimulatedThread
        var arrivals = EventQueue<Arrival>()
        /// When it will look at its sockets; `nil`: nobody has asked it to.
        var looksAt: Int64?
        var isBusy = false

        init(_ thread: SimulatedThread) { self.thread = thread }
    }

    /// Reads of one turn of a loop, as many as it asks the kernel for at once.
    private static let turnLimit = 4096

    private let simulator: Simulator
    private let processors: Processors
    private let fleet: Fleet
    private let machine: SharedMachine
    private let loops: [Loop]
    /// Writes that have not been received, by connection.
    private var underway: ContiguousArray<Int32> = []
    /// When each connection was read last, as far as any has been.
    private var readAt: ContiguousArray<MonotonicInstant> = []

    init(_ processors: Processors, _ fleet: Fleet) {
        simulator = processors.simulator
        self.processors = processors
        self.fleet = fleet
        machine = processors.machine
        loops = (0..<max(1, machine.clientLoops)).map { _ in Loop(processors.makeThread(.clients)) }
    }

    /// Whether everything that was written to the connection has been received.
    func hasReceivedAll(_ connection: Int) -> Bool { connection >= underway.count || underway[connection] == 0 }

    /// Something will be written to these connections.
    func expect(_ connections: [Int32]) {
        for connection in connections.map(Int.init) {
            while underway.count <= connection {
                underway.append(0)
                readAt.append(simulator.now)
            }
            underway[connection] += 1
        }
    }

    /// Whether the loop that reads the connection waits for something to come.
    func sleeps(_ connection: Int32) -> Bool { !loops[place(of: connection)].isBusy }

    /// Which of the loops reads the connection.
    private func place(of connection: Int32) -> Int { Int(fleet.connections[Int(connection)].client) % loops.count }

    /// What was expected has come to the connection's socket.
    func arrive(_ parcel: Parcel, on connection: Int32, at instant: MonotonicInstant) {
        let index = place(of: connection)
        loops[index].arrivals.push(Arrival(connection: connection, parcel: parcel), at: instant.nanoseconds)
        look(index)
    }

    /// Lets a loop look at its sockets once something has come.
    private func look(_ index: Int) {
        let loop = loops[index]
        guard !loop.isBusy, let next = loop.arrivals.nextTime else { return }
        if let known = loop.looksAt, known <= next { return }
        loop.looksAt = next
        simulator.at(MonotonicInstant(nanoseconds: next), .clientReads, index) { [self] in
            guard loop.looksAt == next, !loop.isBusy else { return }
            loop.looksAt = nil
            loop.isBusy = true
            processors.perform(as: loop.arrivals.first?.element.parcel.writer) {
                loop.thread.submit(.byThread) { [self] in receive(index) }
            }
        }
    }

    /// Receives what has come by now.
    private func receive(_ index: Int) -> Work {
        let loop = loops[index]
        let now = simulator.now.nanoseconds
        let factor = loop.thread.nextFactor()
        var batch: [(arrival: Arrival, at: Int64)] = []
        var spent = machine.clientTurn.nanoseconds * factor / 1000
        var coldnesses = Coldness.zero
        while batch.count < Self.turnLimit, let next = loop.arrivals.nextTime, next <= now,
            let entry = loop.arrivals.pop()
        {
            let connection = Int(entry.element.connection)
            let coldness = Coldness(after: simulator.now - readAt[connection])
            readAt[connection] = simulator.now
            coldnesses = coldnesses + coldness
            spent += (cost(entry.element.parcel) + coldness.cost(machine.receiveCold).nanoseconds) * factor / 1000
            batch.append((entry.element, spent))
        }
        processors.use.addClientTurn(
            reads: batch.count, messages: batch.reduce(0) { $0 + $1.arrival.parcel.messages.count },
            coldness: coldnesses)
        var place = 0
        return Work(
            length: TimeSpan(nanoseconds: spent),
            slice: { [self] part, begin in
                while place < batch.count, batch[place].at <= part.upperBound {
                    let at = begin + TimeSpan(nanoseconds: max(0, batch[place].at - part.lowerBound))
                    take(batch[place].arrival, at: at)
                    place += 1
                }
            },
            done: { [self] in
                // What has come meanwhile is there when the loop asks: it does not sleep.
                if let next = loop.arrivals.nextTime, next <= simulator.now.nanoseconds {
                    return loop.thread.submit(.timer) { [self] in receive(index) }
                }
                loop.isBusy = false
                look(index)
            })
    }

    /// Nanoseconds of CPU time that one read takes.
    private func cost(_ parcel: Parcel) -> Int64 {
        let bytes = parcel.messages.reduce(0) { $0 + $1.frameBytes }
        return machine.receive.nanoseconds + machine.receiveMore.nanoseconds * Int64(parcel.messages.count - 1)
            + machine.receivePerKilobyte.nanoseconds * Int64(bytes) / 1024
    }

    private func take(_ arrival: Arrival, at instant: MonotonicInstant) {
        let connection = Int(arrival.connection)
        underway[connection] -= 1
        let session = fleet.session(receivingOn: connection)
        for message in arrival.parcel.messages {
            if session >= 0 {
                fleet.received(message, on: connection, at: instant)
            } else if session == Fleet.backlogged {
                fleet.queue(message, on: connection, at: instant)
            }
        }
    }
}
