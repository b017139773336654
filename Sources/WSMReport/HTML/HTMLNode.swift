/// A piece of a page, well-formed and escaped by construction.
///
/// Names of elements and attributes are cases, so that no text from outside can become one; whatever is text or a value is
/// escaped when the page is written. Styles and scripts are literals of this program.
package indirect enum HTMLNode: Sendable {
    case text(String)
    case element(Tag, [Attribute], [HTMLNode])
    /// The content of a `style` or `script` element, which a browser does not unescape.
    case literal(Tag, StaticString)

    package enum Tag: String, Sendable {
        case html, head, meta, title, style, script, body, header, main, nav, section, footer, div, span, p, h1, h2, h3
        case ul, li, a, strong, code, pre, figure, figcaption, details, summary, button, dl, dt, dd
        case table, caption, thead, tbody, tr, th, td
        case svg, g, path, line, rect, circle, desc, defs, pattern
        /// The `text` and `title` elements of SVG, beside the case of the same name.
        case label = "text"

        fileprivate var isVoid: Bool { self == .meta }
        fileprivate var isDrawing: Bool {
            switch self {
            case .path, .line, .rect, .circle: true
            default: false
            }
        }
    }

    package enum Name: String, Sendable {
        case id, `class`, lang, charset, name, content, role, scope, type, href, tabindex, open, hidden
        case httpEquiv = "http-equiv"
        case label = "aria-label"
        case labelledBy = "aria-labelledby"
        case isPressed = "aria-pressed"
        case isHidden = "aria-hidden"
        case series = "data-series"
        case x, y, x1, y1, x2, y2, cx, cy, r, d, width, height, viewBox, fill, transform, patternUnits
        case anchor = "text-anchor"
    }

    package struct Attribute: Sendable {
        var name: Name
        var value: String
    }

    static func tag(_ tag: Tag, _ attributes: [Name: String] = [:], _ children: [HTMLNode] = []) -> HTMLNode {
        .element(
            tag, attributes.sorted { $0.key.rawValue < $1.key.rawValue }.map { Attribute(name: $0, value: $1) },
            children)
    }

    static func tag(_ tag: Tag, _ attributes: [Name: String] = [:], _ text: String) -> HTMLNode {
        .tag(tag, attributes, [.text(text)])
    }

    /// The whole of a page, with its document type.
    package static func page(_ root: HTMLNode) -> String {
        var page = "<!DOCTYPE html>\n"
        root.write(into: &page)
        return page + "\n"
    }

    func write(into page: inout String) {
        switch self {
        case .text(let text): page += Self.escaped(text)
        case .literal(let tag, let content): page += "<\(tag.rawValue)>\(content)</\(tag.rawValue)>"
        case .element(let tag, let attributes, let children):
            page += "<\(tag.rawValue)"
            for attribute in attributes {
                page += " \(attribute.name.rawValue)=\"\(Self.escaped(attribute.value))\""
            }
            if tag.isDrawing, children.isEmpty {
                page += "/>"
                return
            }
            page += ">"
            if tag.isVoid { return }
            for child in children { child.write(into: &page) }
            page += "</\(tag.rawValue)>"
        }
    }

    /// Markup as entities; what could steer the reading (controls, directions, invisible characters) in visible words.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                default: result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}
