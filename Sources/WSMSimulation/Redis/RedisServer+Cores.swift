import WSMCore

extension RedisServer {
    /// A turn of Redis on a shared machine: each connection's output leaves as far as the turn has come.
    func pacedTurn(on thread: SimulatedThread) -> Work {
        let (spent, writes) = takeTurn()
        let factor = thread.nextFactor()
        var place = 0
        return Work(
            length: TimeSpan(nanoseconds: spent.nanoseconds * factor / 1000),
            slice: { [self] part, begin in
                while place < writes.count, writes[place].spent.nanoseconds * factor / 1000 <= part.upperBound {
                    let offset = max(0, writes[place].spent.nanoseconds * factor / 1000 - part.lowerBound)
                    write(writes[place].link, at: begin + TimeSpan(nanoseconds: offset))
                    place += 1
                }
            },
            firstWake: { part in
                let next = place < writes.count ? writes[place].spent.nanoseconds * factor / 1000 : part.upperBound
                return next < part.upperBound ? next : nil
            },
            done: { [self] in endTurn() })
    }
}
