/// Where in a scenario file its expectations stand, so that a report can point at the line that a run missed.
///
/// The file is read again and only parsed, not checked: a report on a stored run must work for a file that has changed since.
package struct ScenarioPlaces: Hashable, Sendable {
    /// A line and a column, both counted from 1.
    package struct Place: Hashable, Sendable {
        package var line: Int
        package var column: Int

        package init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    /// The file, as reports name it.
    package var file: String
    /// Where the scenario's `name` stands, or else its first line.
    package private(set) var start = Place(line: 1, column: 1)
    private var expectations: Place?
    private var thresholds: [String: Place] = [:]
    private var guarantees: [String: Place] = [:]

    /// Reads the places of the file at `path`; `nil` where there is no such file, or where it is no YAML map.
    package static func read(path: String) -> ScenarioPlaces? {
        guard case .success(let bytes) = SourceText.contents(path: path) else { return nil }
        var faults = DiagnosticList()
        guard let text = SourceText.decode(bytes, name: path, into: &faults),
            let root = SourceParser.parse(text, name: path, into: &faults), case .map(let entries) = root.content
        else { return nil }
        return ScenarioPlaces(file: path, entries: entries)
    }

    /// The places in a scenario's text; `nil` where it is no YAML map.
    package static func parse(text: String, file: String) -> ScenarioPlaces? {
        var faults = DiagnosticList()
        guard let root = SourceParser.parse(text, name: file, into: &faults), case .map(let entries) = root.content
        else { return nil }
        return ScenarioPlaces(file: file, entries: entries)
    }

    private init(file: String, entries: [SourceEntry]) {
        self.file = file
        if let name = entries.first(where: { $0.key == "name" }), let place = Place(name.keyOrigin) { start = place }
        guard let expect = entries.first(where: { $0.key == "expect" }) else { return }
        expectations = Place(expect.keyOrigin)
        for item in expect.value["thresholds"]?.items ?? [] {
            guard let text = item.text, let place = Place(item.origin) else { continue }
            // Results name a threshold with single spaces between its parts, however it was written.
            if case .success(let threshold) = Threshold.parse(text) {
                thresholds[threshold.expression] = thresholds[threshold.expression] ?? place
            }
        }
        if case .map(let entries)? = expect.value["guarantees"]?.content {
            for entry in entries { guarantees[entry.key] = guarantees[entry.key] ?? Place(entry.keyOrigin) }
        }
    }

    /// The line of a threshold, by the expression that results give; else where the expectations begin.
    ///
    /// A threshold of a `--set` flag stands in no file.
    package func threshold(_ expression: String) -> Place { thresholds[expression] ?? expectations ?? start }

    /// The line with the expectation of a guarantee; else where the expectations begin, or the scenario.
    package func guarantee(_ id: String) -> Place { guarantees[id] ?? expectations ?? start }
}

extension ScenarioPlaces.Place {
    /// A place in a file; `nil` for a value that came from a flag.
    fileprivate init?(_ origin: Origin) {
        guard case .position(_, let line, let column) = origin else { return nil }
        self.init(line: line, column: column)
    }
}
