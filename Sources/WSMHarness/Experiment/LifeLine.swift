internal import Foundation
internal import Synchronization

/// A line of which only this process holds our end: whoever reads the other learns when we let go of it, or die.
final class LifeLine: Sendable {
    private let ours: Mutex<CInt?>
    /// For the process that reads; whoever starts it closes this.
    let theirs: CInt

    init() throws {
        let pair = try SocketPair.make()
        ours = Mutex(pair.ours)
        theirs = pair.theirs
    }

    deinit { letGo() }

    /// Closes our end; once is enough, and from any thread.
    func letGo() {
        ours.withLock { end in
            if let open = end { close(open) }
            end = nil
        }
    }
}
