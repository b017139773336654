internal import NIOCore
internal import WSMClients

extension SocketLoops {
    /// The loops of one of `parts` processes of clients: half of the cores for all of them together.
    ///
    /// - Throws: ``HarnessError`` of the environment.
    static func forClients(ofParts parts: Int) throws -> SocketLoops {
        do {
            return try SocketLoops(count: max(1, System.coreCount / parts / 2))
        } catch {
            throw HarnessError(
                .tooFewFileDescriptors, "the loops of the clients cannot be made: \(error); raise ulimit -n",
                cause: error)
        }
    }
}
