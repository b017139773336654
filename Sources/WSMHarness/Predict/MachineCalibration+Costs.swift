internal import WSMCore
internal import WSMSimulation

extension MachineCalibration {
    /// The costs that a simulation takes from it.
    ///
    /// `costs` in the module of the simulation is another type than the ``CostModel`` of a capacity search.
    var simulatedCosts: WSMSimulation.CostModel {
        func span(_ name: Name) -> TimeSpan { TimeSpan(nanoseconds: self[name].nanoseconds) }
        var costs = WSMSimulation.CostModel()
        costs.input = span(.input)
        costs.write = span(.write)
        costs.writePerKilobyte = span(.writePerKilobyte)
        costs.publish = span(.publish)
        costs.publishToRedis = span(.publishToRedis)
        costs.redisCommand = span(.redisCommand)
        costs.redisSubscriber = span(.redisSubscriber)
        // Loopback: a write puts the bytes into the other socket, within the writer's own CPU time.
        costs.linkLatency = .zero
        var shared = SharedMachine(
            cores: machine.cores, clientLoops: max(1, machine.cores / 2), receive: span(.receive),
            receiveMore: span(.receiveMore), receivePerKilobyte: span(.receivePerKilobyte),
            // What a thread does before its first call is part of how late it was measured to be.
            pacing: max(.zero, span(.pacing) - span(.timedWait) - span(.publish).scaled(by: 0.5)))
        shared.timedWait = span(.timedWait)
        shared.pacingCold = span(.pacingCold)
        shared.turn = span(.turn)
        shared.clientTurn = span(.clientTurn)
        shared.publisherCold = span(.publisherCold)
        shared.instanceCold = span(.instanceCold)
        shared.redisCold = span(.redisCold)
        shared.clientCold = span(.clientCold)
        shared.writeCold = span(.writeCold)
        shared.receiveCold = span(.receiveCold)
        shared.wakeCold = span(.wakeCold)
        shared.wakes = WakeCurve(
            steps: waking.steps.map {
                .init(
                    idle: .nanoseconds($0.idle), latency: .nanoseconds($0.latency), waker: .nanoseconds($0.waker),
                    woken: .nanoseconds($0.woken))
            }, packedBelow: waking.packedBelow, keptBelow: waking.keptBelow)
        shared.wakeSpread = Self.spread(waking.spread)
        shared.slice = .nanoseconds(waking.slice)
        shared.tick = .nanoseconds(waking.tick)
        shared.pacingSpread = spread(.pacing)
        shared.instanceSpread = spread(.write)
        shared.redisSpread = spread(.redisCommand)
        shared.clientSpread = spread(.receive)
        // Where a wake-up has no core of its own in the model, that of a thread which has slept for a while.
        costs.wake = shared.wakeUp(after: .milliseconds(10))
        costs.machine = shared
        return costs
    }

    /// CPU seconds a second that a part of the system uses with no load at all; of each instance, where there are several.
    func background(_ part: String) -> Double {
        fits.first { $0.part == part }.map { Double($0.background) / 1e9 } ?? 0
    }

    private func spread(_ name: Name) -> MeasuredSpread {
        Self.spread(self[name].residuals)
    }

    private static func spread(_ residuals: [Residual]) -> MeasuredSpread {
        MeasuredSpread(points: residuals.map { .init(perMillion: $0.perMillion, perMille: $0.perMille) })
    }
}
