import WSMCore
import WSMRecord

/// What each fault did, once all publishers are settled.
extension Settler {
    func faultScores() -> [FaultScore] {
        guard let known = context.faults, !known.isEmpty else { return [] }
        let submissions = Submissions(loops, history, context)
        let presences = Presence.all(loops, windows)
        return known.indices.map { fault in
            var score = FaultScore()
            guard let at = known[fault].at else { return score }
            score.lostByCause = faults.lostByCause[fault]
            score.silentlyMissed = silentlyMissed(faults.silent[fault])
            countSessions(fault, at: at.nanoseconds, presences, &score)
            listen(fault, healedAt: known[fault].healedAt, presences, submissions, &score)
            return score
        }
    }

    private func silentlyMissed(_ missed: [UInt32: Int64]) -> FaultScore.Silent {
        var silent = FaultScore.Silent()
        silent.clients = missed.count
        silent.messages = missed.values.reduce(0, +)
        silent.fewest = missed.values.min() ?? 0
        silent.most = missed.values.max() ?? 0
        return silent
    }

    // MARK: Sessions

    /// The sessions of one client, in the order of their beginning.
    private struct Presence {
        struct Stay {
            let session: ObservedSession
            let isDeaf: Bool
            var from: Int64 { session.attemptedAt.nanoseconds }
            var until: Int64 { session.closedAt?.nanoseconds ?? .max }
        }

        var stays: [Stay] = []

        static func all(_ loops: [LoopRecord], _ windows: [[SessionWindow]]) -> [UInt32: Presence] {
            var all: [UInt32: Presence] = [:]
            for (loop, record) in loops.enumerated() {
                for index in record.sessions.indices {
                    let session = record.sessions[index]
                    all[session.client, default: Presence()].stays.append(
                        Stay(session: session, isDeaf: windows[loop][index].isDeaf))
                }
            }
            for client in all.keys { all[client]?.stays.sort { $0.from < $1.from } }
            return all
        }

        func stay(at instant: Int64) -> Stay? { stays.last { $0.from <= instant && $0.until >= instant } }
        func returned(after instant: Int64) -> Bool { stays.contains { $0.from > instant } }
    }

    /// A service restart (RFC 6455's registry of close codes): what a client is closed with that may have missed something.
    static let gapClose: UInt16 = 1012

    private func countSessions(
        _ fault: Int, at: Int64, _ presences: [UInt32: Presence], _ score: inout FaultScore
    ) {
        let end = min(faults.end(of: fault), (context.shutdown?.at.nanoseconds ?? .max))
        let markers = context.gapMarkers.filter { $0.at.nanoseconds >= at && $0.at.nanoseconds < end }
        for (client, presence) in presences {
            guard let stay = presence.stay(at: at) else { continue }
            score.connectedClients += 1
            if stay.isDeaf, deafens(fault, stay.session) { score.deafClients += 1 }
            let isOver = stay.until < end
            let isTold = markers.contains {
                $0.concerns(client, on: stay.session.instance) && $0.at.nanoseconds <= stay.until
            }
            switch stay.session.end {
            case .dropped? where isOver: score.droppedClients += 1
            case .closedByServer(let code)? where isOver:
                score.closedClients += 1
                if code == Self.gapClose || isTold { score.markedClients += 1 }
                if presence.returned(after: stay.until) { score.reconnectedClients += 1 }
                continue
            default:
                if isTold { score.markedClients += 1 }
                continue
            }
            if presence.returned(after: stay.until) { score.reconnectedClients += 1 }
        }
    }

    /// Whether it was this fault after which the session heard nothing any more: the first that began no earlier than what it
    /// heard last, or else the last of all.
    private func deafens(_ fault: Int, _ session: ObservedSession) -> Bool {
        let heard = session.latestPublished?.nanoseconds ?? 0
        return (faults.inOrder.first { $0.at >= heard } ?? faults.inOrder.last)?.fault == fault
    }

    // MARK: Hearing

    private func listen(
        _ fault: Int, healedAt: MonotonicInstant?, _ presences: [UInt32: Presence], _ submissions: Submissions,
        _ score: inout FaultScore
    ) {
        let end = context.endOfLoad?.fencedFrom.nanoseconds ?? .max
        var longest: Int64?
        var first = Int64.max
        var last: Int64 = 0
        var waiting = 0
        var gone = 0
        for record in loops {
            guard let listening = record.listening, let heard = listening.faults[fault] else { continue }
            for (index, hearing) in heard.hearings.enumerated() where hearing.hadHeard {
                let ear = listening.ears[index]
                let stay = presences[ear.client]?.stays.last
                let instance = stay?.session.instance ?? 0
                var silence = submissions.silence(of: instance, hearing.silentFrom, hearing.silentUntil)
                if hearing.heardAgain > 0 {
                    first = min(first, hearing.heardAgain)
                    last = max(last, hearing.heardAgain)
                } else {
                    silence = max(silence, submissions.silence(of: instance, ear.lastAt, end))
                    if let stay, stay.until >= end { waiting += 1 } else { gone += 1 }
                    if let stay, stay.until >= end, !stay.isDeaf { score.unsentClients += 1 }
                }
                longest = max(longest ?? 0, silence)
            }
        }
        score.blackout = longest.map { TimeSpan(nanoseconds: $0) }
        guard let healedAt, first < .max else { return }
        score.firstDeliveryAfter = TimeSpan(nanoseconds: max(0, first - healedAt.nanoseconds))
        guard waiting == 0 else { return }
        score.fullDeliveryAfter = TimeSpan(nanoseconds: max(0, last - healedAt.nanoseconds))
        // Where a broadcast thread has died, what clients hear is not all that they should.
        let hasDeadThread = context.threadDeaths.contains { faults.fault(at: $0.at.nanoseconds) == fault }
        if gone == 0, score.deafClients == 0, !hasDeadThread { score.recoveredAfter = score.fullDeliveryAfter }
    }
}

/// When messages of the load were submitted that clients should have got.
private struct Submissions {
    /// In memory each instance's own, behind a broker those of all under one number.
    private var instants: [UInt16: [Int64]] = [:]
    private let isShared: Bool

    init(_ loops: [LoopRecord], _ history: [PublisherHistory], _ context: SettlementContext) {
        isShared = context.manager == .broadcast
        let channels = Set(loops.map(\.channel))
        for publisher in history {
            for channel in publisher.channels where channels.contains(channel.channel) {
                instants[isShared ? 0 : publisher.instance, default: []] += channel.submitted
            }
        }
        for key in instants.keys { instants[key]?.sort() }
    }

    /// How long a silence lasted from the first message on that was submitted in it; 0 without any.
    func silence(of instance: UInt16, _ from: Int64, _ until: Int64) -> Int64 {
        guard until > from, let instants = instants[isShared ? 0 : instance] else { return 0 }
        var low = 0
        var high = instants.count
        while low < high {
            let middle = (low + high) / 2
            if instants[middle] < from { low = middle + 1 } else { high = middle }
        }
        guard low < instants.count, instants[low] < until else { return 0 }
        return until - instants[low]
    }
}
