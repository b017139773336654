internal import Foundation
internal import Synchronization
internal import WSMCore

/// Writes the journal of an instance's process: what is in it when the process is killed stays, to the last event.
///
/// The file is mapped and grows by windows, so an event costs a few stores and no system call, and the kernel keeps it
/// however the process ends. Its first page holds how many bytes are whole; records follow, each behind its length in one
/// byte, where 0 says that the next one is at the next window. Safe from any thread.
final class JournalWriter: @unchecked Sendable {
    // @unchecked: the mapped memory and the cursors are touched only under the lock, `committed` is atomic.

    /// The first page: what a reader must know.
    struct Header: ~Copyable {
        /// The length up to which the file holds whole records.
        let committed = Atomic<Int64>(0)
        /// Events that could not be written, since the file could not grow.
        let lost = Atomic<Int64>(0)
    }

    static let headerLength = 4096
    /// A multiple of every page size in use.
    static let windowLength = 1 << 20

    private let descriptor: Int32
    private let header: UnsafeMutablePointer<Header>
    private let lock = Monitor(())
    private var window: UnsafeMutableRawPointer?
    /// Where the window begins in the file, and where the next record goes in it.
    private var windowStart = 0
    private var cursor = 0

    /// Makes the journal in a file that exists; it may be unlinked from then on.
    ///
    /// - Throws: ``JournalError`` when the file cannot be opened or has no room.
    init(path: String) throws(JournalError) {
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.error("cannot open \(path)") }
        guard let page = Self.map(descriptor, from: 0, length: Self.headerLength) else {
            let error = Self.error("cannot make room in \(path)")
            close(descriptor)
            throw error
        }
        header = page.bindMemory(to: Header.self, capacity: 1)
        header.initialize(to: Header())
        windowStart = Self.headerLength - Self.windowLength
        cursor = Self.windowLength
    }

    deinit {
        if let window { munmap(window, Self.windowLength) }
        munmap(header, Self.headerLength)
        close(descriptor)
    }

    /// Takes in the events that `make` returns, all of them one behind the other.
    ///
    /// `make` runs under the journal's lock, so that what it numbers stands in the journal in that order.
    func append<Result>(_ make: (inout Appender) -> Result) -> Result {
        lock.withLock { _ in
            var appender = Appender(journal: self)
            return make(&appender)
        }
    }

    func append(_ event: ProbeEvent) { append { $0.append(event) } }

    /// Takes in events while the journal is locked.
    struct Appender {
        fileprivate let journal: JournalWriter

        mutating func append(_ event: ProbeEvent) { journal.write(event) }
    }

    private func write(_ event: ProbeEvent) {
        guard cursor + 1 + ProbeRecord.longest < Self.windowLength || nextWindow(), let window else {
            header.pointee.lost.add(1, ordering: .relaxed)
            return
        }
        var writer = RecordWriter(window + cursor + 1, limit: ProbeRecord.longest)
        ProbeRecord.write(event, to: &writer)
        window.storeBytes(of: UInt8(writer.length), toByteOffset: cursor, as: UInt8.self)
        cursor += 1 + writer.length
        header.pointee.committed.store(Int64(windowStart + cursor), ordering: .releasing)
    }

    /// Goes on in a new window; the bytes left in this one stay 0.
    private func nextWindow() -> Bool {
        let start = windowStart + Self.windowLength
        guard let next = Self.map(descriptor, from: start, length: Self.windowLength) else { return false }
        if let window { munmap(window, Self.windowLength) }
        window = next
        windowStart = start
        cursor = 0
        return true
    }

    /// Gives the file room, which a mapping alone would not: a write to it would end the process when the disk is full.
    private static func map(_ descriptor: Int32, from offset: Int, length: Int) -> UnsafeMutableRawPointer? {
        guard posix_fallocate(descriptor, off_t(offset), off_t(length)) == 0 else { return nil }
        let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(offset))
        return memory == MAP_FAILED ? nil : memory
    }

    private static func error(_ what: String) -> JournalError {
        JournalError(code: .file, message: "\(what): \(String(cString: strerror(errno)))")
    }
}
