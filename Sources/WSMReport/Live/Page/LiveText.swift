internal import Foundation
import WSMCore

/// A text that goes to the page of a run: one JSON object.
package protocol LiveText: Encodable {}

extension LiveText {
    /// The object on one line, its keys in order; the same for the same value on every machine.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in it can fail: numbers are finite, see below. A page passes over what has no type.
        guard let data = try? encoder.encode(self) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}

/// Values as they stand in those texts.
enum LiveValue {
    /// Exact: a nanosecond is the sixth digit after the point.
    static func milliseconds(_ span: TimeSpan) -> Double { Double(span.nanoseconds) / 1e6 }

    /// A number with three digits after the point at most; 0 for what is no number.
    static func number(_ value: Double) -> Double {
        guard value.isFinite, abs(value) < 1e15 else { return 0 }
        return (value * 1000).rounded() / 1000
    }

    /// Text from outside, made printable and cut to `limit` scalars.
    static func words(_ text: String, limit: Int = 300) -> String {
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return PlainText.printable(text) }
        return PlainText.printable(String(String.UnicodeScalarView(scalars[..<end]))) + "…"
    }
}

/// How something is meant: the page's classes for it.
enum LiveTone: String, Encodable {
    case good
    case warn
    case bad

    init?(_ style: Style?) {
        switch style {
        case .good: self = .good
        case .doubtful: self = .warn
        case .bad: self = .bad
        case .bold, .dim, nil: return nil
        }
    }
}

/// A few words, and how they are meant.
struct LiveRemark: Encodable, Hashable {
    var text: String
    var tone: LiveTone?
}
