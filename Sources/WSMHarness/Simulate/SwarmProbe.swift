internal import WSMVerify

/// Something rare that a swarm should come by: a campaign that never did has shown nothing about it.
package enum SwarmProbe: String, CaseIterable, Codable, Sendable {
    case clientEvicted = "a slow client was evicted"
    case gapMarked = "a client was told of a gap"
    case clientDropped = "an instance dropped clients"
    case clientCameBack = "a client came back"
    case missedUnnoticed = "a client missed messages unnoticed"
    case brokerLost = "an instance lost its broker"
    case publishFailed = "a publish failed"
    case lostInGap = "a message was lost in the broker's gap"
    case lostWithInstance = "a message was lost with its instance"
    case queueAtStop = "a stop met a queue that was not empty"
    case threadDied = "a broadcast thread died"
    case fanOutAborted = "a fan-out was aborted"
    case missedOffline = "a client was away for a message"
    case duplicated = "a message came twice"

    /// Whether the run came by.
    func isReached(by run: JudgedRun) -> Bool {
        let result = run.result
        let lost = result.delivery.lostByCause
        return switch self {
        case .clientEvicted: result.instances.contains { $0.evicted > 0 }
        case .gapMarked: result.faults.contains { $0.markedClients > 0 }
        case .clientDropped: result.faults.contains { $0.droppedClients > 0 }
        case .clientCameBack: result.clients.reconnects > 0
        case .missedUnnoticed: result.faults.contains { $0.silentlyMissed.clients > 0 }
        case .brokerLost: result.instances.contains { $0.brokerLosses > 0 }
        case .publishFailed: result.instances.contains { $0.broadcastsFailed > 0 }
        case .lostInGap: lost[LossCause.brokerGap.rawValue] != nil
        case .lostWithInstance: lost[LossCause.instanceDown.rawValue] != nil
        case .queueAtStop: run.stopsWithQueue > 0
        case .threadDied: result.instances.contains { $0.broadcastThread == "dead" }
        case .fanOutAborted: result.instances.contains { $0.fanOutsAborted > 0 }
        case .missedOffline: result.delivery.missedOffline > 0
        case .duplicated: result.delivery.duplicated > 0
        }
    }

    /// Those that a profile can come by at all.
    static func possible(isHardened: Bool) -> [SwarmProbe] {
        // The hardened profile neither kills its broadcast thread nor walks its clients one after the other.
        allCases.filter { !isHardened || ![.threadDied, .fanOutAborted].contains($0) }
    }
}
