import WSMCore
import WSMRecord
import WSMVerify

/// The defects of time and of the end.
extension StreamDefect {
    /// One client gets some messages half a millisecond late.
    @Sendable static func delay(_ trial: inout StreamTrial) {
        trial.context.bounds = LagBounds(lag: .microseconds(400))
        let client = trial.random.below(StreamTrial.clients)
        trial.planted = postpone(&trial, client, by: 500, 400)
        trial.expected = Findings(["bounded-lag": trial.planted])
    }

    /// A slow client of instance 0 gets some messages late, and with it the other client of its instance, which is healthy;
    /// those of instance 1 do not.
    @Sendable static func holdUp(_ trial: inout StreamTrial) {
        trial.context.bounds = LagBounds(isolation: .microseconds(200))
        trial.slowClients = [0]
        postpone(&trial, 0, by: 300, 200)
        trial.planted = postpone(&trial, 2, by: 300, 200)
        trial.expected = Findings(["isolation": trial.planted])
    }

    /// Lets a run of messages come later, and what follows them as long as it would overtake them.
    ///
    /// Returns how many come later than `bound`.
    @discardableResult
    private static func postpone(
        _ trial: inout StreamTrial, _ client: Int, by delay: Int64, _ bound: Int64
    ) -> Int64 {
        let from = trial.hits[0][0]
        let count = 1 + trial.hits[0].count
        for index in from..<(from + count) { trial.streams[client][index].at += delay }
        var latest = trial.streams[client][from + count - 1].at
        // The next ones come with the last of them: less and less late.
        for index in (from + count)..<StreamLoad.count where trial.streams[client][index].at < latest {
            trial.streams[client][index].at = latest
            latest += 1
        }
        return trial.streams[client].indices.reduce(0) { late, index in
            // Lag counts from when the message was ready, two microseconds before its publishing.
            let lag = trial.streams[client][index].at - trial.load.messages[index].publishedAt + 2
            return late + (lag > bound ? 1 : 0)
        }
    }

    /// A fault is healed, a while passes, and messages are lost still.
    @Sendable static func recoverLate(_ trial: inout StreamTrial) {
        trial.context.recovery = .init(healedAt: StreamLoad.at(1000), bound: .microseconds(100))
        trial.forEachHit { trial, client, hit in
            trial.streams[client].remove(at: hit + trial.random.below(8))
        }
        trial.planted = trial.totalHits
        trial.expected = Findings(loss(trial.planted).merging(["recovery": trial.planted]) { $1 })
        trial.expected.lose(trial.planted, .unexplained)
    }

    /// A client loses its connection in a fault and is still without one when all should be well.
    @Sendable static func stayAway(_ trial: inout StreamTrial) {
        let client = trial.random.below(StreamTrial.clients)
        let from = trial.hits[client][0]
        let load = trial.load.messages
        trial.context.recovery = .init(
            healedAt: StreamLoad.at(load[from].publishedAt), bound: .microseconds(100))
        trial.streams[client].removeSubrange(from...)
        trial.streams[client].append(.init(at: load[from - 1].publishedAt + 31, event: .close(.dropped)))
        trial.endFences[client] = false
        trial.planted = 1
        trial.expected = Findings(["recovery": 1])
        // What was published before the end was noticed may have been on its way.
        let onTheirWay = load[from...].count { $0.publishedAt <= load[from - 1].publishedAt + 31 }
        trial.expected.indeterminate = Int64(onTheirWay)
        trial.expected.missedOffline = Int64(StreamLoad.count - from - onTheirWay)
    }

    // MARK: The end

    private static func stop(_ trial: inout StreamTrial) {
        trial.context.shutdown = .init(
            at: StreamLoad.at(trial.load.endFence.publishedAt + 500),
            leftovers: [.init(instance: 0), .init(instance: 1)])
        trial.ends = Array(repeating: .closedByServer(code: 1001), count: StreamTrial.clients)
    }

    /// The instances stop, and some clients' sessions end as `wrong` says.
    static func shutDown(_ trial: inout StreamTrial, _ wrong: [SessionEnd]) {
        stop(&trial)
        guard !wrong.isEmpty else { return }
        let count = 1 + trial.random.below(StreamTrial.clients)
        for client in 0..<count { trial.ends[client] = wrong[trial.random.below(wrong.count)] }
        trial.planted = Int64(count)
        trial.expected = Findings(["clean-shutdown": trial.planted])
    }

    @Sendable static func leaveBehind(_ trial: inout StreamTrial) {
        stop(&trial)
        let subscriptions = 1 + trial.random.below(3)
        trial.context.shutdown?.subscriptions = subscriptions
        // Updates in a queue count once an instance.
        trial.context.shutdown?.leftovers[1].queued = 7
        trial.planted = Int64(subscriptions + 1)
        trial.expected = Findings(["clean-shutdown": trial.planted])
    }

    @Sendable static func closeTwice(_ trial: inout StreamTrial) {
        stop(&trial)
        trial.planted = Int64(1 + trial.random.below(StreamTrial.clients))
        trial.context.shutdown?.repeatedCloses = trial.planted
        trial.expected = Findings(["clean-shutdown": trial.planted])
    }
}
