import NIOCore
import WSMCore
import WSMRecord

extension DirectShard {
    private var nextDue: MonotonicInstant? {
        let connect = nextConnect < connects.count ? connects[nextConnect] : nil
        guard let due = agenda.nextDue else { return connect }
        return connect.map { min($0, due) } ?? due
    }

    /// Sets the event loop's timer to what is due first.
    func arm() {
        if let due = nextDue { timer.arm(for: due, on: loop) { self.wake() } }
    }

    private func wake() {
        timer.hasFired()
        // A bounded number a turn: between two turns the loop serves its instance.
        for _ in 0..<256 {
            let now = MonotonicInstant.now()
            if nextConnect < connects.count, connects[nextConnect] <= now {
                statistics.lateness.record(now - connects[nextConnect])
                nextConnect += 1
                connect(nextConnect - 1)
            } else if let entry = agenda.popDue(at: now) {
                perform(entry, at: now)
            } else {
                break
            }
        }
        arm()
    }

    private func perform(_ entry: Agenda.Entry, at now: MonotonicInstant) {
        switch entry.task {
        case .churn:
            statistics.lateness.record(now - entry.due)
            churn(Int(entry.slot), at: now)
        case .reconnect:
            statistics.reconnects += 1
            connect(Int(entry.slot))
        case .disturb, .resume, .pongDeadline, .connect, .ping, .read, .connectDeadline, .closeDeadline, .endDeadline:
            // Kinds that only clients on sockets put on their agenda.
            break
        }
    }
}
