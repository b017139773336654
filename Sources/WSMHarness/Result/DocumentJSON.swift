internal import Foundation

extension Encodable {
    /// The bytes of a document that people read and keep: sorted keys, two spaces, a line feed at the end; the same for the
    /// same value.
    ///
    /// A number that is not finite cannot be written and throws: such a number is a fault of whoever computed it.
    func documentJSON() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
