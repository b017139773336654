import WSMHarness

extension TextReport {
    /// Where an experiment took place, and its folder; `nil` leaves the folder's line out.
    static func ground(_ environment: RunEnvironment, folder: String?) -> [Line] {
        var text = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), "
        text += environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        if let redis = environment.redis { text += ", Redis \(redis)" }
        var lines = [entry("Ran on", PlainText.printable(text))]
        if let folder { lines.append(entry("Folder", PlainText.printable(folder))) }
        return lines
    }

    /// A label with a text of any length, broken into lines.
    static func entries(_ label: String, _ text: String, width: Int) -> [Line] {
        PlainText.wrap(PlainText.printable(text), width: width - margin).enumerated().map { index, line in
            entry(index == 0 ? label : "", line)
        }
    }
}
