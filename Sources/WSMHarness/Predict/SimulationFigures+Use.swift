internal import WSMCore
internal import WSMScenario
internal import WSMSimulation

extension SimulationFigures {
    /// What a simulation with a calibration used, and the housekeeping that nothing in a scenario drives, as it was measured.
    init(_ named: NamedCalibration, _ measurement: Measurement, _ result: RunResult, of scenario: Scenario) {
        let calibration = named.calibration
        self.init(
            calibration: named.file, calibratedAt: calibration.madeAt, cores: calibration.machine.cores,
            cpu: calibration.machine.cpu)
        guard let use = measurement.simulatedUse else { return }
        let seconds = Double(result.durationNanoseconds) / 1e9
        let instances = Double(scenario.cluster.instances)
        instancesCPUSeconds = use.instances.seconds + calibration.background("instances") * instances * seconds
        redisCPUSeconds = use.redis.seconds
        if scenario.cluster.manager == .broadcast { redisCPUSeconds += calibration.background("redis") * seconds }
        clientsCPUSeconds = use.clients.seconds + calibration.background("clients") * seconds
    }
}
