/// Numbers as other programs read them.
enum NumberText {
    /// The shortest text that reads back as the same number; whole numbers have no point.
    ///
    /// It is a number of JSON, of Prometheus and of a spreadsheet. `value` is finite.
    static func plain(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 0x1p53 { return "\(Int64(value))" }
        return "\(value)"
    }

    /// Nanoseconds as seconds.
    static func seconds(_ nanoseconds: Int64) -> String { plain(Double(nanoseconds) / 1e9) }
}
