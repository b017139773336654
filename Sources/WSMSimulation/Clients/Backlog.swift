import WSMCore
import WSMRecord

/// What waits for a client that reads slowly or not at all: its frames in the instance's buffer and in the kernel's.
///
/// The kernel holds ``kernelBytes`` of them; what is beyond waits in the instance's own buffer, which has the high-water mark.
/// A client whose link is disturbed has one too, whatever it reads: what the relay holds belongs to what waits.
final class Backlog {
    enum Item {
        case message(Message)
        /// A message without a stamp, of so many bytes.
        case foreign(bytes: Int)
        /// The end of the connection, after all that came before it.
        case end(SessionEnd)

        var bytes: Int {
            switch self {
            case .message(let message): message.frameBytes
            case .foreign(let bytes): bytes
            case .end: 0
            }
        }
    }

    let connection: Int
    private(set) var kernelBytes: Int
    /// Bytes a second that the client reads; `nil`: as fast as it can.
    var rate: Int?
    /// The relay before the client's instance, and what the kernel holds between the two.
    private(set) var path: (connection: RelayedConnection, kernelBytes: Int)?
    /// The client reads nothing before this instant; `nil`: it reads.
    var stalledUntil: MonotonicInstant?
    /// Whether the end of the item that is being read is on the agenda.
    var isReading = false
    private(set) var bytes = 0
    private var items: [Item] = []
    private var head = 0

    init(connection: Int, kernelBytes: Int, rate: Int?) {
        self.connection = connection
        self.kernelBytes = kernelBytes
        self.rate = rate
    }

    /// Whether there is a reason to keep it.
    var isNeeded: Bool {
        rate != nil || stalledUntil != nil || head < items.count || path.map { !$0.connection.isClear } ?? false
    }
    var first: Item? { head < items.count ? items[head] : nil }
    /// Bytes in the instance's own buffer.
    var waiting: Int {
        guard let path else { return max(0, bytes - kernelBytes) }
        let relayed = path.connection.waitingBytes(from: .upstream) - path.kernelBytes
        // A relay that holds a connection takes nothing, however much there is room for behind it.
        return max(0, path.connection.room == 0 ? relayed : relayed + bytes - kernelBytes - path.connection.room)
    }

    /// A relay stands between the instance and the client.
    func lead(through connection: RelayedConnection, kernelBytes: Int) { path = (connection, kernelBytes) }

    /// The client reads slowly, with a receive buffer to match.
    func slowDown(to rate: Int, kernelBytes: Int) {
        self.rate = rate
        self.kernelBytes = kernelBytes
    }

    func append(_ item: Item) {
        items.append(item)
        bytes += item.bytes
    }

    func removeFirst() {
        bytes -= items[head].bytes
        head += 1
        if head == items.count || head > 1024 {
            items.removeFirst(head)
            head = 0
        }
    }

    /// The instance closes its socket without a word: what neither the kernel nor a relay has yet is gone.
    func discardUnsent() {
        // What the relay has not passed on is newer than all that it has.
        if let relay = path?.connection {
            relay.discardNewest(from: .upstream, beyond: max(0, relay.waitingBytes(from: .upstream) - waiting))
        }
        while waiting > 0, head < items.count, let last = items.popLast() { bytes -= last.bytes }
    }

    /// How long the client takes to read the first item.
    var readingTime: TimeSpan {
        guard let rate, let first else { return .microseconds(1) }
        return TimeSpan(nanoseconds: Int64(first.bytes) * 1_000_000_000 / Int64(max(1, rate)))
    }
}
