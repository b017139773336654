@testable import WSMHarness

extension MachineCalibration {
    /// Round figures of two cores that exist nowhere.
    static var madeUp: MachineCalibration {
        let spread = [
            Residual(perMillion: 0, perMille: 900), Residual(perMillion: 500_000, perMille: 1000),
            Residual(perMillion: 1_000_000, perMille: 1200),
        ]
        let nanoseconds: [Name: Int64] = [
            .wake: 30_000, .pacing: 60_000, .turn: 5_000, .input: 2_000, .write: 8_000, .writePerKilobyte: 200,
            .publish: 20_000, .redisCommand: 6_000, .redisSubscriber: 4_000, .clientTurn: 3_000, .receive: 6_000,
            .receiveMore: 1_000, .receivePerKilobyte: 100,
        ]
        var calibration = MachineCalibration(
            madeAt: "2026-01-01T00:00:00Z", machine: .init(cores: 2, cpu: "made up", kernel: "Linux 6", id: nil),
            program: .init(version: "0", swift: "6", build: "debug"), coefficients: [:], fits: [], rows: [])
        for name in Name.allCases {
            calibration[name] = Coefficient(nanoseconds: nanoseconds[name] ?? 0, residuals: spread)
        }
        return calibration
    }
}
