import WSMHarness
import WSMRecord

/// What a report says of the load generator itself.
enum GeneratorText {
    /// Stands above the latencies of a run that is INVALID.
    static let disclaimer = "INVALID: these times are the load generator's own delays, not the system's"

    /// What the generator can do here, or why nobody asked; `nil` for results without a generator.
    static func line(_ result: RunResult) -> String? {
        guard let figures = result.generator else { return nil }
        guard let calibration = result.calibration else {
            let why = figures.notCalibrated.map { ": \(PlainText.printable($0))" } ?? ""
            return "not calibrated\(why)" + waits(figures)
        }
        var text = "can take \(Figures.rate(calibration.deliveriesPerSecond)) here"
        if let floor = calibration.latencyFloor, floor.count > 0 { text += "; floor p50 \(Figures.time(floor.p50))" }
        if calibration.pacing.count > 0 { text += "; pace p99 \(Figures.time(calibration.pacing.p99))" }
        return text + waits(figures)
    }

    private static func waits(_ figures: GeneratorFigures) -> String {
        guard let cpu = figures.cpu else { return "" }
        return "; \(Int((cpu.recordingLoop.waitRatio * 100).rounded())) % short of CPU"
    }
}
