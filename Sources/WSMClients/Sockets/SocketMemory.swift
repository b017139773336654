/// What Linux tells of a socket's memory: `SO_MEMINFO` (linux/sock_diag.h), since Linux 4.12.
struct SocketMemory: Sendable {
    /// Bytes that the receive queue takes, the kernel's own overhead too.
    var received: UInt32 = 0
    /// The most that it may take.
    var receiveLimit: UInt32 = 0
    // Memory of the sending side, of options, of the backlog, and drops: of no interest here, and part of the answer.
    private var sent: UInt32 = 0
    private var sendLimit: UInt32 = 0
    private var forwardAllocation: UInt32 = 0
    private var writeQueue: UInt32 = 0
    private var options: UInt32 = 0
    private var backlog: UInt32 = 0
    private var drops: UInt32 = 0

    /// `SO_MEMINFO` on Linux.
    static let option: CInt = 55
}
