/// One line of a summary, and which of its parts stand out.
struct Line {
    var text: String
    /// Texts in the line and their style.
    ///
    /// Styles come last, so that they count in no width.
    var marks: [String: Style] = [:]

    func rendered(color: Bool) -> String {
        guard color else { return text }
        var result = text
        for (part, style) in marks.sorted(by: { $0.key < $1.key }) {
            guard let range = result.firstRange(of: part) else { continue }
            result.replaceSubrange(range, with: style.apply(part, color: true))
        }
        return result
    }
}

/// Lines that belong together.
///
/// An elastic section gives lines up when the summary outgrows the screen.
struct Section {
    var lines: [Line]
    /// Whether an empty line goes before it.
    var separated = false
    var isElastic = false
    /// How many lines at its head an elastic section keeps.
    var fixed = 0
    /// What the line says that stands for those left out.
    var more = "more, see result.json"
    private var omitted = 0

    init(
        lines: [Line], separated: Bool = false, isElastic: Bool = false, fixed: Int = 0,
        more: String = "more, see result.json"
    ) {
        self.lines = lines
        self.separated = separated && !lines.isEmpty
        self.isElastic = isElastic
        self.fixed = fixed
        self.more = more
    }

    private var height: Int { lines.count + (omitted > 0 ? 1 : 0) + (separated ? 1 : 0) }
    private var spare: Int { isElastic ? lines.count - fixed : 0 }

    /// Takes lines away, always from the section that has most to spare, until all fit into `limit` lines.
    static func fit(_ sections: inout [Section], into limit: Int) {
        while sections.reduce(0, { $0 + $1.height }) > limit {
            guard let index = sections.indices.max(by: { sections[$0].spare < sections[$1].spare }),
                sections[index].spare > 0
            else { return }
            sections[index].lines.removeLast()
            sections[index].omitted += 1
        }
    }

    static func lines(of sections: [Section]) -> [Line] {
        sections.flatMap { section -> [Line] in
            var lines = section.separated ? [Line(text: "")] : []
            lines += section.lines
            if section.omitted > 0 { lines.append(Line(text: "            … \(section.omitted) \(section.more)")) }
            return lines
        }
    }
}
