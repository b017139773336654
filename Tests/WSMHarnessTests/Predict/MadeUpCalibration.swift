@testable import WSMHarness

extension MachineCalibration {
    /// Round figures of two cores that exist nowhere.
    static var madeUp: MachineCalibration {
        let spread = [
            Residual(perMillion: 0, perMille: 900), Residual(perMillion: 500_000, perMille: 1000),
            Residual(perMillion: 1_000_000, perMille: 1200),
        ]
        let nanoseconds: [Name: Int64] = [
            .wakeCold: 10_000, .pacing: 60_000, .pacingCold: 5_000, .turn: 5_000, .input: 2_000, .write: 8_000,
            .writePerKilobyte: 200,
            .publish: 20_000, .publishToRedis: 5_000, .redisCommand: 6_000, .redisSubscriber: 4_000, .clientTurn: 3_000,
            .receive: 6_000,
            .receiveMore: 1_000, .receivePerKilobyte: 100, .publisherCold: 1_000, .timedWait: 2_000, .instanceCold: 500,
            .redisCold: 200,
            .clientCold: 300,
            .writeCold: 20, .receiveCold: 10,
        ]
        var waking = Waking()
        waking.steps = [
            .init(idle: 10_000, latency: 15_000, waker: 6_000, woken: 0),
            .init(idle: 10_000_000, latency: 50_000, waker: 9_000, woken: 12_000),
        ]
        waking.spread = spread
        waking.packedBelow = 550
        waking.keptBelow = 650
        waking.slice = 1_400_000
        waking.tick = 4_000_000
        var calibration = MachineCalibration(
            madeAt: "2026-01-01T00:00:00Z", machine: .init(cores: 2, cpu: "made up", kernel: "Linux 6", id: nil),
            program: .init(version: "0", swift: "6", build: "debug"), waking: waking,
            coefficients: [:], fits: [], rows: [])
        for name in Name.allCases {
            calibration[name] = Coefficient(nanoseconds: nanoseconds[name] ?? 0, residuals: spread)
        }
        return calibration
    }
}
