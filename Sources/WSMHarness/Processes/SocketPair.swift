internal import Foundation

/// Two ends of a line to another process.
enum SocketPair {
    /// A pair of sockets that no process inherits by chance.
    ///
    /// - Throws: ``HarnessError`` when there are no descriptors left.
    static func make() throws -> (ours: CInt, theirs: CInt) {
        var ends: [CInt] = [-1, -1]
        let closeOnExec: CInt = 0o2000000
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | closeOnExec, 0, &ends) == 0 else {
            throw HarnessError(
                .tooFewFileDescriptors,
                "cannot make a socket to a process of the run: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }
}
