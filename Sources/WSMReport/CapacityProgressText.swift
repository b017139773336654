internal import WSMCore
package import WSMHarness

/// Where a capacity search stands, as a line.
package enum CapacityProgressText {
    /// How the last run went, what runs now, and between what the limit lies: `12 s: 200 messages/s, run 2 of at most 3 …`.
    package static func line(_ progress: CapacitySearch.Progress) -> String {
        var text = ""
        if let last = progress.last, let load = progress.lastLoad {
            text = "  \(CapacityWords.load(load, progress.variable)) \(CapacityReport.word(last.outcome))"
            text += (last.reason.map { ": \(PlainText.printable($0))" } ?? "") + "\n"
        }
        let run = progress.repeats == 1 ? "" : ", run \(progress.run) of at most \(progress.repeats)"
        text += "\(Int(progress.elapsed.seconds)) s: \(CapacityWords.load(progress.load, progress.variable))\(run)"
        switch (progress.carried, progress.missed) {
        case (let low?, let high?): text += " (between \(CapacityWords.number(low)) and \(CapacityWords.number(high)))"
        case (let low?, nil): text += " (\(CapacityWords.number(low)) carried)"
        case (nil, let high?): text += " (\(CapacityWords.number(high)) missed)"
        case (nil, nil): break
        }
        return text
    }
}
