import NIOCore
import WSMRecord

/// The part of a fleet that lives on one event loop, as far as fleets on sockets and without have it in common.
///
/// Confined to that loop.
protocol FleetPart: AnyObject, SendableMetatype {
    associatedtype Sink: DeliverySink & SendableMetatype

    var sink: Sink { get }
    var statistics: FleetStatistics { get }
    func churn(_ plan: [FleetChurn])
    func awaitCloses()
}

extension Array {
    /// Hands each part its share of a plan's items, by the part that each client lives on.
    ///
    /// - Throws: ``FleetError`` with `invalidPlan` when a client lives on none.
    func spread<Part: FleetPart, Item: Sendable>(
        _ items: [Item], of plan: String, client: (Item) -> UInt32, part: (UInt32) -> Int?,
        _ take: @escaping @Sendable (Part, [Item]) -> Void
    ) throws where Element == NIOLoopBoundBox<Part> {
        var shares = [[Item]](repeating: [], count: count)
        for item in items {
            guard let owner = part(client(item)) else {
                throw FleetError(
                    code: .invalidPlan, message: "client \(client(item)) of \(plan) is not in the connect plan")
            }
            shares[owner].append(item)
        }
        for (box, share) in zip(self, shares) where !share.isEmpty {
            box.eventLoop.execute { take(box.value, share) }
        }
    }

    func awaitCloses<Part: FleetPart>() async where Element == NIOLoopBoundBox<Part> {
        // It fails only when its loop was shut down before the fleet, and then no session is open.
        for box in self { try? await box.eventLoop.submit { box.value.awaitCloses() }.get() }
    }

    func statistics<Part: FleetPart>() async -> FleetStatistics where Element == NIOLoopBoundBox<Part> {
        var sum = FleetStatistics()
        for box in self {
            // As above: a loop that was shut down has nothing more to say.
            if let part = try? await box.eventLoop.submit({ box.value.statistics }).get() { sum.add(part) }
        }
        return sum
    }

    func withSinks<Part: FleetPart, Result: Sendable>(
        _ body: @escaping @Sendable (Part.Sink) throws -> Result
    ) async throws -> [Result] where Element == NIOLoopBoundBox<Part> {
        var results: [Result] = []
        for box in self { results.append(try await box.eventLoop.submit { try body(box.value.sink) }.get()) }
        return results
    }

    /// The sinks, which no part uses any more: all sessions must have ended.
    func handOverSinks<Part: FleetPart>() async throws -> sending [Part.Sink]
    where Element == NIOLoopBoundBox<Part> {
        var sinks: [Handover<Part.Sink>] = []
        for box in self { sinks.append(try await box.eventLoop.submit { Handover(box.value.sink) }.get()) }
        nonisolated(unsafe) let handedOver = sinks.map(\.value)
        return handedOver
    }
}

/// Carries a sink from its event loop to the owner of the fleet.
///
/// `@unchecked Sendable`: made once all sessions have ended, after which the shard never touches its sink again.
private struct Handover<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
