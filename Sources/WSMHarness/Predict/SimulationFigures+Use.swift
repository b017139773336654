internal import WSMCore
internal import WSMSimulation

extension SimulationFigures {
    init(_ named: NamedCalibration, use: ProcessorUse?) {
        let calibration = named.calibration
        self.init(
            calibration: named.file, calibratedAt: calibration.madeAt, cores: calibration.machine.cores,
            cpu: calibration.machine.cpu)
        guard let use else { return }
        instancesCPUSeconds = use.instances.seconds
        redisCPUSeconds = use.redis.seconds
        clientsCPUSeconds = use.clients.seconds
    }
}
