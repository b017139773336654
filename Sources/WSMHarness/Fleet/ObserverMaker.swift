internal import WSMCore
internal import WSMScenario
internal import WSMVerify

/// Makes the observers of a run's clients, one an event loop, in whichever process.
struct ObserverMaker: Sendable {
    private let run: UInt32
    private let publisherCount: Int
    private let channel: UInt8
    private let bounds: LagBounds
    private let written: FleetWrittenInstants?
    private let trace: RunTrace?

    /// - Parameters:
    ///   - numbers: Those of all publishers, and of the channel that clients listen to.
    ///   - written: Knows when instances wrote a message; `nil` where nobody here does.
    init(
        _ scenario: Scenario, run: UInt32, numbers: PublisherNumbers, written: FleetWrittenInstants? = nil,
        trace: RunTrace?
    ) {
        self.run = run
        publisherCount = numbers.count
        channel = numbers.channels[.events] ?? 0
        bounds = LagBounds(scenario.expect.bounds)
        self.written = written
        self.trace = trace
    }

    /// The observer of the event loop with this number.
    @Sendable func make(_ loop: Int) -> DeliveryObserver {
        DeliveryObserver(
            run: run, publisherCount: publisherCount, channel: channel, bounds: bounds, written: written,
            trace: trace?.clientLane(loop))
    }
}
