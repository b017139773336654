internal import Foundation
internal import NIOCore
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMRecord

/// What a run asks of one of its processes.
///
/// Each request is answered by one ``ChildReply`` or a ``ChildFailure``; a process answers several at a time, in any order.
enum ChildRequest: Sendable, Codable {
    /// The first one: what the process is to be. Answered by `ready`.
    case begin(ChildAssignment)

    // To an instance or a worker.
    case startLoad(LoadWindow)
    case stopLoad
    case publishFence
    case instanceState
    case stopInstance(deadline: TimeSpan)

    // To clients.
    case connect(startingAt: MonotonicInstant)
    case awaitConnected(deadline: MonotonicInstant)
    case startMeasuring(at: MonotonicInstant, width: TimeSpan)
    case tell(FaultMark)
    case churn([FleetChurn])
    case disturb(FleetDisturbance)
    case releaseSlowReaders
    case sessionsBehind(MonotonicInstant)
    case fleetProgress
    case awaitCloses
    case endSessions(deadline: MonotonicInstant)
    case statistics
    case beginWatch
    case endWatch
    case finishFleet
}

/// What a process answers.
enum ChildReply: Sendable, Codable {
    case done
    /// Where an instance listens; 0 for what does not.
    case ready(port: Int)
    case instanceState(ChildInstanceState)
    case instanceStopped(ChildStopReport)
    case count(Int)
    case fleetProgress(ChildFleetProgress)
    case statistics(FleetStatistics)
    case generator(GeneratorFigures)
}

/// Why a process could not do what it was asked.
struct ChildFailure: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// ``HarnessError``'s code; other errors are faults of wsmlab.
    var code: String
    var message: String
    /// Not all clients connected in time: the run goes on without them.
    var isMissingClients = false

    var description: String { message }
}

/// One message from the run to a process.
struct ChildCall: Sendable, Codable {
    var id: UInt64
    var request: ChildRequest
}

/// One message from a process to the run.
struct ChildAnswer: Sendable, Codable {
    var id: UInt64
    var reply: ChildReply?
    var failure: ChildFailure?
}

/// The messages as bytes: JSON.
enum ChildCoding {
    static func bytes(_ message: some Encodable) throws -> [UInt8] { Array(try JSONEncoder().encode(message)) }

    static func read<Message: Decodable>(_: Message.Type, _ bytes: ByteBuffer) throws -> Message {
        try JSONDecoder().decode(Message.self, from: Data(bytes.readableBytesView))
    }
}

/// The instants of the load, on the clock that all processes of a host share.
struct LoadWindow: Hashable, Sendable, Codable {
    var start: MonotonicInstant
    var warmup: TimeSpan
    var duration: TimeSpan
    /// What was planned before is left out: the instance was not there for it.
    var from: MonotonicInstant

    init(_ clock: LoadClock) {
        start = clock.start
        warmup = clock.measuredFrom - clock.start
        duration = clock.end - clock.measuredFrom
        from = clock.start
    }

    var clock: LoadClock { LoadClock(start: start, warmup: warmup, duration: duration) }
}

/// How an instance's process stands.
struct ChildInstanceState: Hashable, Sendable, Codable {
    var state: InstanceState
    var counts: InstanceCounts
    var loadHasEnded: Bool
    /// Messages of the load that were submitted so far.
    var submitted: Int
}

/// What an instance's process left behind.
struct ChildStopReport: Hashable, Sendable, Codable {
    var clientsCut: Int
    var busyThreads: [String]
    var updatesLeft: Int
    var counts: InstanceCounts
}

/// How far the clients of a process have come.
struct ChildFleetProgress: Hashable, Sendable, Codable {
    var connected: Int
    var loops: [Loop]

    /// One event loop of the clients.
    struct Loop: Hashable, Sendable, Codable {
        var received: Int64
        var p50: TimeSpan?
        var p99: TimeSpan?
        var recentP50: TimeSpan?
        var recentP99: TimeSpan?
        var overtaken: Int64
    }
}
