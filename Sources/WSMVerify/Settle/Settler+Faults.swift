import WSMCore
import WSMRecord

/// What each fault did, once all publishers are settled.
extension Settler {
    func faultScores() -> [FaultScore] {
        guard let known = context.faults, !known.isEmpty else { return [] }
        let submissions = Submissions(loops, history, context)
        let presences = Presences(loops)
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

    /// All sessions by their clients, those of one client in the order of their beginning: one flat list, since there may be
    /// millions of them.
    private struct Presences {
        struct Stay {
            let client: UInt32
            let loop: UInt32
            let session: UInt32
        }

        let stays: [Stay]

        init(_ loops: [LoopRecord]) {
            var stays: [Stay] = []
            stays.reserveCapacity(loops.reduce(0) { $0 + $1.sessions.count })
            for (loop, record) in loops.enumerated() {
                for index in record.sessions.indices {
                    stays.append(
                        Stay(client: record.sessions[index].client, loop: UInt32(loop), session: UInt32(index)))
                }
            }
            func from(_ stay: Stay) -> Int64 {
                loops[Int(stay.loop)].sessions[Int(stay.session)].attemptedAt.nanoseconds
            }
            stays.sort { $0.client == $1.client ? from($0) < from($1) : $0.client < $1.client }
            self.stays = stays
        }

        /// Calls `body` with the sessions of each client.
        func forEachClient(_ body: (UInt32, ArraySlice<Stay>) -> Void) {
            var rest = stays[...]
            while let first = rest.first {
                let own = rest.prefix { $0.client == first.client }
                body(first.client, own)
                rest = rest.dropFirst(own.count)
            }
        }

        /// The client's last session.
        func last(of client: UInt32) -> Stay? {
            var low = 0
            var high = stays.count
            while low < high {
                let middle = (low + high) / 2
                if stays[middle].client <= client { low = middle + 1 } else { high = middle }
            }
            return low > 0 && stays[low - 1].client == client ? stays[low - 1] : nil
        }
    }

    private func session(_ stay: Presences.Stay) -> ObservedSession {
        loops[Int(stay.loop)].sessions[Int(stay.session)]
    }
    private func from(_ stay: Presences.Stay) -> Int64 { session(stay).attemptedAt.nanoseconds }
    private func until(_ stay: Presences.Stay) -> Int64 { session(stay).closedAt?.nanoseconds ?? .max }
    private func isDeaf(_ stay: Presences.Stay) -> Bool { windows[Int(stay.loop)][Int(stay.session)].isDeaf }

    /// A service restart (RFC 6455's registry of close codes): what a client is closed with that may have missed something.
    static let gapClose: UInt16 = 1012

    private func countSessions(
        _ fault: Int, at: Int64, _ presences: Presences, _ score: inout FaultScore
    ) {
        let end = min(faults.end(of: fault), (context.shutdown?.at.nanoseconds ?? .max))
        let markers = Dictionary(
            grouping: context.gapMarkers.filter { $0.at.nanoseconds >= at && $0.at.nanoseconds < end }, by: \.instance)
        presences.forEachClient { client, stays in
            guard let stay = stays.last(where: { from($0) <= at && until($0) >= at }) else { return }
            let session = session(stay)
            let last = until(stay)
            score.connectedClients += 1
            if isDeaf(stay), deafens(fault, session) { score.deafClients += 1 }
            let isOver = last < end
            let isTold = markers[session.instance, default: []].contains {
                $0.concerns(client, on: session.instance) && $0.at.nanoseconds <= last
            }
            switch session.end {
            case .dropped? where isOver: score.droppedClients += 1
            case .closedByServer(let code)? where isOver:
                score.closedClients += 1
                if code == Self.gapClose || isTold { score.markedClients += 1 }
            default:
                if isTold { score.markedClients += 1 }
                return
            }
            if stays.contains(where: { from($0) > last }) { score.reconnectedClients += 1 }
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
        _ fault: Int, healedAt: MonotonicInstant?, _ presences: Presences, _ submissions: Submissions,
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
                let stay = presences.last(of: ear.client)
                let instance = stay.map { session($0).instance } ?? 0
                var silence = submissions.silence(of: instance, hearing.silentFrom, hearing.silentUntil)
                if hearing.heardAgain > 0 {
                    first = min(first, hearing.heardAgain)
                    last = max(last, hearing.heardAgain)
                } else {
                    silence = max(silence, submissions.silence(of: instance, ear.lastAt, end))
                    if let stay, until(stay) >= end { waiting += 1 } else { gone += 1 }
                    if let stay, until(stay) >= end, !isDeaf(stay) { score.unsentClients += 1 }
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
