/// On which ground a calibrated simulation stands, and what it used.
package struct SimulationFigures: Codable, Hashable, Sendable {
    /// The calibration's file, as the command line named it.
    package var calibration: String
    package var calibratedAt: String
    /// Cores of the simulated machine, and the model of its CPU.
    package var cores: Int
    package var cpu: String?
    /// CPU seconds of the measured window.
    package var instancesCPUSeconds = 0.0
    package var redisCPUSeconds = 0.0
    package var clientsCPUSeconds = 0.0
}
