package import WSMHarness

/// A calibration, for people: how well the model fits, and its numbers.
package enum CalibrationReport {
    /// The report, with a line feed at the end of each line.
    package static func text(_ calibration: MachineCalibration, file: String) -> String {
        let spoiled = calibration.rows.filter { $0.validity == Validity.Verdict.invalid.rawValue }.count
        var lines = [
            "CALIBRATED  \(calibration.rows.count) live runs on \(machine(calibration)) → \(PlainText.printable(file))"
        ]
        if spoiled > 0 {
            lines.append(
                "            \(spoiled) of them were INVALID: a quieter machine gives better figures; look at R² below")
        }
        lines.append("")
        lines.append(
            PlainText.left("CPU of", 12) + PlainText.right("R²", 8) + PlainText.right("error", 8)
                + PlainText.right("at rest", 12) + PlainText.right("runs", 6))
        for fit in calibration.fits {
            lines.append(
                PlainText.left(PlainText.printable(fit.part), 12)
                    + PlainText.right(Figures.decimal(fit.rSquared, places: 3), 8)
                    + PlainText.right("\(Figures.decimal(fit.relativeError * 100, places: 1)) %", 8)
                    + PlainText.right("\(Figures.decimal(Double(fit.background) / 1e7, places: 1)) % CPU", 12)
                    + PlainText.right("\(fit.rows)", 6))
        }
        lines.append("")
        for name in MachineCalibration.Name.allCases {
            lines.append(
                PlainText.left(words(name), 58) + PlainText.right(Figures.time(calibration[name].nanoseconds), 10))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same as Markdown.
    package static func markdown(_ calibration: MachineCalibration, file: String) -> String {
        func escaped(_ text: String) -> String { MarkdownReport.escaped(PlainText.printable(text)) }
        var text = "## Calibration of \(escaped(machine(calibration)))\n\n"
        text += "\(calibration.rows.count) live runs, \(escaped(calibration.madeAt)); file: \(escaped(file))\n"
        text += "\n| CPU of | R² | error |\n|---|---:|---:|\n"
        for fit in calibration.fits {
            text += "| \(escaped(fit.part)) | \(Figures.decimal(fit.rSquared, places: 3)) | "
            text += "\(Figures.decimal(fit.relativeError * 100, places: 1)) % |\n"
        }
        text += "\n| what | cost |\n|---|---:|\n"
        for name in MachineCalibration.Name.allCases {
            text += "| \(escaped(words(name))) | \(Figures.time(calibration[name].nanoseconds)) |\n"
        }
        return text
    }

    private static func machine(_ calibration: MachineCalibration) -> String {
        let cores = calibration.machine.cores == 1 ? "1 core" : "\(calibration.machine.cores) cores"
        return PlainText.printable(calibration.machine.cpu.map { "\(cores) of \($0)" } ?? cores)
    }

    private static func words(_ name: MachineCalibration.Name) -> String {
        switch name {
        case .wakeCold: "a wake-up: each doubling of its sleep (wakeCold)"
        case .pacing: "lateness of a timed wait (pacing)"
        case .pacingCold: "the same for each doubling of the load's rest (pacingCold)"
        case .turn: "an instance: a turn of its event loop (turn)"
        case .input: "an instance: a message from the broker (input)"
        case .write: "an instance: a write to a client (write)"
        case .writePerKilobyte: "an instance: each KiB of a write (writePerKilobyte)"
        case .publish: "a publisher: a broadcast (publish)"
        case .publishToRedis: "a publisher: what that costs more with Redis (publishToRedis)"
        case .publisherCold: "a publisher: each doubling of its process' rest (publisherCold)"
        case .timedWait: "a publisher: a sleep until something is due (timedWait)"
        case .redisCommand: "Redis: a command (redisCommand)"
        case .redisSubscriber: "Redis: each connection written to (redisSubscriber)"
        case .clientTurn: "the generator: a turn of its loop (clientTurn)"
        case .receive: "the generator: a read (receive)"
        case .receiveMore: "the generator: a further message (receiveMore)"
        case .receivePerKilobyte: "the generator: each KiB (receivePerKilobyte)"
        case .instanceCold: "an instance: each doubling of its sleep (instanceCold)"
        case .redisCold: "Redis: each doubling of its sleep (redisCold)"
        case .clientCold: "the generator: each doubling of its sleep (clientCold)"
        case .writeCold: "a write: each doubling of its rest (writeCold)"
        case .receiveCold: "a read: each doubling of its rest (receiveCold)"
        }
    }
}
