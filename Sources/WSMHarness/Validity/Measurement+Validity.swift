internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// What came of the calibration.
enum CalibrationOutcome: Sendable {
    case done(Calibration)
    /// Left out by rule; the text says by which.
    case skipped(String)
    case failed(String)

    var value: Calibration? {
        if case .done(let calibration) = self { return calibration }
        return nil
    }

    /// Why there is no calibration.
    var absence: String? {
        switch self {
        case .done: nil
        case .skipped(let why), .failed(let why): why
        }
    }
}

extension Measurement {
    /// Whether the load generator measured the system or itself.
    func validity(latency: LatencyHistogram, bounds: ValidityBounds) -> Validity {
        var evidence = ValidityEvidence()
        evidence.connectFailure = connectFailure
        evidence.scheduleSlip = load.scheduleSlip.summary
        evidence.generator = generatorFigures
        evidence.calibration = calibration.value
        if case .failed(let why) = calibration { evidence.calibrationFailure = why }
        evidence.isDirect = subject.scenario.clients.transport == .direct
        evidence.negativeLatencies = Int(latency.negativeCount)
        evidence.refusedStarts = load.refusals.starts
        evidence.unfencedSessions = isRedisGone ? 0 : unfencedAtEnd
        evidence.faultFailures = faultFailures
        evidence.unkeptEvents = subject.probes.reduce(0) { $0 + $1.recordedEvents.unkept }
        evidence.traceSuspicion = trace?.suspicion
        evidence.endedProcesses = target?.endedProcesses ?? []
        let start = clock?.start ?? .now()
        evidence.partFailures = failures.map { $0.text(since: start) }
        return Validity.judge(evidence, bounds: bounds)
    }

    /// What was watched, with what the plan and the fleet know.
    var generatorFigures: GeneratorFigures {
        var figures = generator
        figures.notCalibrated = calibration.absence
        figures.plannedDeliveriesPerSecond = subject.plan.deliveriesPerSecond(of: subject.scenario)
        if load.refusals.starts > 0 { figures.refusedStarts = load.refusals.starts }
        if fleet.lateness.count > 0 {
            figures.timerLateness = TimerFigures(
                count: fleet.lateness.count, p99: fleet.lateness.p99.nanoseconds, max: fleet.lateness.max.nanoseconds)
        }
        return figures
    }
}

extension RunDriver {
    /// Finds what the generator can do here, if the plan asks for enough to make that of interest.
    func calibrate(_ reporter: ProgressReporter, _ measurement: inout Measurement) async throws {
        let demand = context.plan.deliveriesPerSecond(of: context.scenario)
        guard demand >= Calibrator.leastDemand else {
            measurement.calibration = .skipped(
                "the plan asks for \(Int(demand)) deliveries a second, under \(Int(Calibrator.leastDemand))")
            return
        }
        guard !interruption.isRequested else { return }
        reporter.begin(.calibrating, total: Calibrator.length)
        do {
            let calibrator = Calibrator(plan: context.plan, run: context.run ^ 1)
            switch context.scenario.clients.transport {
            case .websocket:
                measurement.calibration = .done(try await calibrator.calibrate(on: context.clientLoops.all))
            case .direct:
                measurement.calibration = .done(
                    try await calibrator.calibrateDirect(
                        on: context.system.eventLoops, publishers: context.publishers.count))
            }
        } catch {
            measurement.calibration = .failed("\(error)")
        }
    }
}
