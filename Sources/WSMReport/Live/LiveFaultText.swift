import WSMCore
import WSMHarness

/// A fault while the run lasts, in a few words.
enum LiveFaultText {
    /// `redis.restart at 4.00 s, healed after 512 ms`, `instance.kill of instance 1 at 7.00 s, for 0.8 s now`.
    ///
    /// - Parameter now: How far the measured window is; `nil` after its end.
    static func line(_ fault: RunProgress.Fault, at now: TimeSpan?) -> ScreenLine {
        var line = ScreenLine(what(fault))
        if let at = fault.at { line.append(" at \(Figures.time(at))") }
        if let failure = fault.failure {
            line.append(", \(PlainText.printable(failure))", .bad)
        } else if let at = fault.at, fault.isLasting {
            if let healedAt = fault.healedAt {
                line.append(", healed after \(Figures.time(healedAt - at))", .good)
            } else if let now {
                line.append(", for \(ClockText.coarse(max(.zero, now - at))) now", .bad)
            } else {
                line.append(", not healed", .bad)
            }
        }
        return line
    }

    /// `instance.kill 1: for 2 s now`, `redis.restart: healed`, for a narrow terminal.
    static func short(_ fault: RunProgress.Fault, at now: TimeSpan?) -> ScreenLine {
        var line = ScreenLine(PlainText.printable(fault.action) + (fault.target.map { " \($0)" } ?? ""))
        if fault.failure != nil {
            line.append(": failed", .bad)
        } else if let at = fault.at, fault.isLasting {
            if fault.healedAt != nil {
                line.append(": healed", .good)
            } else {
                line.append(now.map { ": for \(ClockText.coarse(max(.zero, $0 - at))) now" } ?? ": not healed", .bad)
            }
        }
        return line
    }

    /// `redis.restart in 3 s`.
    static func next(_ fault: RunProgress.Fault, at now: TimeSpan?) -> String {
        guard let now else { return "\(what(fault)) at \(Figures.time(fault.plannedAt))" }
        return "\(what(fault)) in \(ClockText.coarse(max(.zero, fault.plannedAt - now)))"
    }

    private static func what(_ fault: RunProgress.Fault) -> String {
        PlainText.printable(fault.action) + (fault.target.map { " of instance \($0)" } ?? "")
    }
}
