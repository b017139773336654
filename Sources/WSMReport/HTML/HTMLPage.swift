import WSMHarness

/// The frame of every page: head, verdict, contents, sections, and where it was made.
struct HTMLPage {
    struct Part {
        /// The anchor; one of this program's own words.
        var id: StaticString
        var title: String
        var nodes: [HTMLNode]
    }

    /// What the page may load and run: nothing but its own style and its own script, told by their SHA-256.
    static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-IxWThZxoQdMDDZniqryTIY6VD+QLf9sTv9lSyyrN5uA='; base-uri 'none'; form-action 'none'"

    var title: String
    var word: String
    var style: Style
    var sentence: String
    var subtitle: String
    var startedAt: String
    var environment: RunEnvironment
    var parts: [Part]

    var text: String {
        let parts = parts.filter { !$0.nodes.isEmpty }
        return HTMLNode.page(
            .tag(
                .html, [.lang: "en"],
                [
                    head,
                    .tag(
                        .body, [:],
                        [
                            header(parts),
                            .tag(
                                .main, [:],
                                parts.map { part in
                                    let heading = "\(part.id)-heading"
                                    return .tag(
                                        .section, [.id: "\(part.id)", .labelledBy: heading],
                                        [.tag(.h2, [.id: heading], part.title)] + part.nodes)
                                }),
                            footer, .literal(.script, ReportScript.source),
                        ]),
                ]))
    }

    private var head: HTMLNode {
        .tag(
            .head, [:],
            [
                .tag(.meta, [.charset: "utf-8"]),
                .tag(.meta, [.name: "viewport", .content: "width=device-width, initial-scale=1"]),
                .tag(.meta, [.httpEquiv: "Content-Security-Policy", .content: Self.policy]),
                .tag(.meta, [.name: "color-scheme", .content: "light dark"]),
                .tag(.title, [:], "\(word) · \(title) · wsmlab"), .literal(.style, ReportStyle.sheet),
            ])
    }

    private func header(_ parts: [Part]) -> HTMLNode {
        let mark = style == .good ? "✓ " : style == .bad ? "✕ " : "! "
        let links = parts.map { HTMLNode.tag(.li, [:], [.tag(.a, [.href: "#\($0.id)"], $0.title)]) }
        return .tag(
            .header, [:],
            [
                .tag(.p, [.class: "brand"], "wsmlab · \(startedAt)"), .tag(.h1, [:], title),
                .tag(
                    .p, [.class: "verdict", .id: "verdict"],
                    [.tag(.span, [.class: "word \(style.className ?? "warn")"], mark + word), .text(sentence)]),
                .tag(.p, [.class: "soft"], subtitle),
                .tag(.nav, [.label: "Contents"], [.tag(.ul, [:], links)]),
            ])
    }

    private var footer: HTMLNode {
        var text = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), "
        text += environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        if let redis = environment.redis { text += ", Redis \(redis)" }
        return .tag(.footer, [:], [.tag(.p, [:], text)])
    }

    /// Labels with large figures; the note stands below.
    static func tiles(_ tiles: [(label: String, figure: String, note: String)]) -> HTMLNode {
        .tag(
            .dl, [.class: "tiles"],
            tiles.map { tile in
                .tag(
                    .div, [:],
                    [
                        .tag(.dt, [:], tile.label),
                        .tag(
                            .dd, [:],
                            [.text(tile.figure)] + (tile.note.isEmpty ? [] : [.tag(.span, [:], tile.note)])),
                    ])
            })
    }

    static func code(_ text: String, label: String) -> HTMLNode {
        .tag(.pre, [.tabindex: "0", .label: label], [.tag(.code, [:], text)])
    }

    static func paragraph(_ text: String, _ style: String? = nil) -> HTMLNode {
        .tag(.p, style.map { [.class: $0] } ?? [:], text)
    }

    static func list(_ items: [String]) -> [HTMLNode] {
        items.isEmpty ? [] : [.tag(.ul, [:], items.map { .tag(.li, [:], $0) })]
    }
}

extension Style {
    /// The class that gives a word this style in a page; `nil` where it is like any other.
    var className: String? {
        switch self {
        case .good: "good"
        case .bad: "bad"
        case .doubtful: "warn"
        case .bold, .dim: nil
        }
    }
}
