import WSMCore

/// One turn of an event loop on a shared machine: what it writes leaves as far as the turn has come.
struct PacedTurn {
    /// One write to each of a group of clients, the first done after `begin` and `step`.
    private struct Writes {
        let parcel: ClientLoops.Parcel
        let members: [Int32]
        /// Nanoseconds of the turn's CPU time.
        let begin: Int64
        let step: Int64
        var place = 0

        /// When the next of the members has been written to.
        var next: Int64 { begin + Int64(place + 1) * step }
    }

    private var groups: [Writes] = []
    private var head = 0
    /// Writes to clients in all.
    private(set) var count = 0

    /// Takes note of writes that begin when `spent` of the turn's time has passed.
    mutating func write(
        _ messages: [Message], to members: [Int32], spent: TimeSpan, step: TimeSpan, by writer: SimulatedThread
    ) {
        guard !members.isEmpty else { return }
        count += members.count
        groups.append(
            Writes(
                parcel: .init(messages, writer: writer), members: members, begin: spent.nanoseconds,
                step: step.nanoseconds))
    }

    /// Lets everything take `factor` thousandths of its time.
    ///
    /// - Parameter spent: The length of the turn.
    /// - Returns: The length that comes of it.
    mutating func stretch(_ factor: Int64, spent: TimeSpan) -> TimeSpan {
        groups = groups.map {
            Writes(
                parcel: $0.parcel, members: $0.members, begin: $0.begin * factor / 1000, step: $0.step * factor / 1000)
        }
        return TimeSpan(nanoseconds: spent.nanoseconds * factor / 1000)
    }

    /// The end of the first write in this part of the turn that goes to a client whose loop sleeps.
    func firstWake(_ part: Range<Int64>, _ loops: ClientLoops) -> Int64? {
        for var group in groups[head...] {
            while group.place < group.members.count {
                guard group.next <= part.upperBound else { return nil }
                if loops.sleeps(group.members[group.place]) { return group.next }
                group.place += 1
            }
        }
        return nil
    }

    /// Brings to the clients what is written in this part of the turn, which begins at `instant`.
    mutating func perform(_ part: Range<Int64>, at instant: MonotonicInstant, link: TimeSpan, loops: ClientLoops) {
        while head < groups.count {
            while groups[head].place < groups[head].members.count {
                let next = groups[head].next
                guard next <= part.upperBound else { return }
                let at = instant + TimeSpan(nanoseconds: max(0, next - part.lowerBound)) + link
                loops.arrive(groups[head].parcel, on: groups[head].members[groups[head].place], at: at)
                groups[head].place += 1
            }
            head += 1
        }
    }
}

extension Instance {
    /// A turn that begins when the loop has a core, and lasts as long as its work takes there.
    func pacedTurn(on thread: SimulatedThread, _ loops: ClientLoops) -> Work {
        guard !isPaused else {
            pass { [self] in thread.submit(.timer) { [self] in pacedTurn(on: thread, loops) } }
            return Work(length: .zero)
        }
        var paced = PacedTurn()
        let coldness = Coldness(after: simulator.now - wroteAt)
        coldWrite = coldness.cost(costs.machine?.writeCold ?? .zero)
        let spent = performTurn { messages, members, spent, step in
            paced.write(messages, to: members, spent: spent, step: step, by: thread)
        }
        setup.processors?.use.addTurn(writes: paced.count, coldness: coldness)
        if paced.count > 0 { wroteAt = simulator.now }
        let length = paced.stretch(thread.nextFactor(), spent: spent)
        return Work(
            length: length,
            slice: { [costs] part, begin in
                paced.perform(part, at: begin, link: costs.linkLatency, loops: loops)
            },
            firstWake: { paced.firstWake($0, loops) },
            done: { [self] in endTurn() })
    }
}
