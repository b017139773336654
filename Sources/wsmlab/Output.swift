import Foundation
import Synchronization

/// A file that people and scripts read: stdout for results, stderr for progress and errors.
final class Output: Sendable {
    private struct State {
        var buffer: [UInt8] = []
        var isBroken = false
    }

    /// Where results go.
    ///
    /// Buffered: whoever writes calls ``flush()`` when it is done.
    static let standard = Output(descriptor: STDOUT_FILENO, bufferSize: 1 << 16)
    /// Where progress and errors go, at once.
    static let errors = Output(descriptor: STDERR_FILENO, bufferSize: 0)

    private let descriptor: Int32
    private let bufferSize: Int
    private let state = Mutex(State())

    private init(descriptor: Int32, bufferSize: Int) {
        self.descriptor = descriptor
        self.bufferSize = bufferSize
    }

    func write(_ text: String) {
        state.withLock { state in
            state.buffer.append(contentsOf: text.utf8)
            if state.buffer.count >= bufferSize { drain(&state) }
        }
    }

    func flush() {
        state.withLock { drain(&$0) }
    }

    /// Once the reader has gone away, what is written is dropped: the run itself goes on.
    private func drain(_ state: inout State) {
        var rest = state.buffer[...]
        while !rest.isEmpty, !state.isBroken {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&wait, 1, 1000)
            } else if errno != EINTR {
                state.isBroken = true
            }
        }
        state.buffer.removeAll(keepingCapacity: true)
    }
}

extension Output {
    /// Whether it is a terminal that understands control sequences.
    var isTerminal: Bool {
        isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Whether to use colours: on a terminal, unless `NO_COLOR` is set to something (no-color.org).
    var usesColor: Bool {
        isTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }

    /// The terminal's width in columns, or 100 where there is none.
    var width: Int { windowSize.map { Int($0.ws_col) }.flatMap { $0 > 0 ? $0 : nil } ?? 100 }

    /// The terminal's height in lines, or 24 where there is none.
    var height: Int { windowSize.map { Int($0.ws_row) }.flatMap { $0 > 0 ? $0 : nil } ?? 24 }

    private var windowSize: winsize? {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }

    /// `text` with every character that could steer a terminal written as an escape.
    static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control && scalar != "\n"
            result += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return result
    }
}
