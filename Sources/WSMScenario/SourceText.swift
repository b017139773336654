import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The text of a scenario file, and the checks that stand before YAML: its size, its encoding, its characters.
enum SourceText {
    /// A scenario is written by hand; what is larger is something else.
    static let byteLimit = 1 << 20

    /// Reads a file, at most one byte more than the limit.
    ///
    /// On failure the message says why.
    static func contents(path: String) -> Result<[UInt8], ReadFailure> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(ReadFailure(errno: errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= byteLimit {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(ReadFailure(errno: errno)) }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[0..<count])
        }
        return .success(bytes)
    }

    /// A file that could not be read.
    struct ReadFailure: Error {
        let errno: Int32

        var message: String {
            switch errno {
            case EISDIR: "this is a directory, not a scenario file"
            case ENOENT: "there is no such file"
            default: "cannot be read: \(String(cString: strerror(errno)))"
            }
        }

        var hint: String? {
            errno == EISDIR ? "name a file in it: DIRECTORY/NAME.yaml" : nil
        }
    }

    /// The bytes as text; `nil`, with faults added, if they are not text that YAML allows.
    static func decode(_ bytes: [UInt8], name: String, into faults: inout DiagnosticList) -> String? {
        let start = Origin.position(file: name, line: 1, column: 1)
        guard bytes.count <= byteLimit else {
            faults.error(
                at: start, "the file is larger than \(QuantityWriter.size(byteLimit))",
                hint: "a scenario is a short text")
            return nil
        }
        // The byte order mark of UTF-8 is no part of the text, and would shift the columns of the first line.
        let hasMark = bytes.starts(with: [0xef, 0xbb, 0xbf])
        let body = hasMark ? bytes[3...] : bytes[...]
        guard let text = String(validating: body, as: UTF8.self) else {
            reportEncoding(of: body, name: name, into: &faults)
            return nil
        }
        return checkCharacters(of: text, name: name, into: &faults) ? text : nil
    }

    /// Says which byte is not UTF-8.
    private static func reportEncoding(of body: ArraySlice<UInt8>, name: String, into faults: inout DiagnosticList) {
        var decoder = UTF8()
        var iterator = body.makeIterator()
        var (line, column) = (1, 1)
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        faults.error(
            at: .position(file: name, line: line, column: column), "this byte is not UTF-8",
            hint: "save the file as UTF-8 text")
    }

    /// Refuses the control characters that YAML forbids; libyaml would report the first without its place.
    private static func checkCharacters(of text: String, name: String, into faults: inout DiagnosticList) -> Bool {
        var (line, column) = (1, 1)
        var clean = true
        for scalar in text.unicodeScalars {
            if isForbidden(scalar) {
                let code = String(scalar.value, radix: 16, uppercase: true)
                let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
                faults.error(
                    at: .position(file: name, line: line, column: column),
                    "the control character U+\(padded) must not stand in YAML")
                clean = false
            }
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return clean
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0a, 0x0d, 0x85: false
        case 0..<0x20, 0x7f..<0xa0, 0xfffe, 0xffff: true
        default: false
        }
    }
}
