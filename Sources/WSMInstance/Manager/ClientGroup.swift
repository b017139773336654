internal import NIOCore

/// The clients of one channel on one event loop, in no order: one leaves in O(1).
///
/// A fan-out goes over the sockets alone, which lie side by side, and looks at a session only where there is something to
/// decide: looking at each costs more than all else that is not the kernel's.
struct ClientGroup {
    private(set) var members: [ClientSession] = []
    /// By the same places: ``ClientSession/directSocket``.
    private(set) var sockets: [NIOBSDSocket.Handle] = []

    var isEmpty: Bool { members.isEmpty }

    /// Returns the member's place.
    mutating func append(_ session: ClientSession) -> Int {
        members.append(session)
        sockets.append(session.directSocket)
        return members.count - 1
    }

    /// Takes a member out; returns the one that has its place now, if another has.
    mutating func remove(at place: Int) -> ClientSession? {
        guard let last = members.popLast(), let socket = sockets.popLast() else { return nil }
        guard place < members.count else { return nil }
        members[place] = last
        sockets[place] = socket
        return last
    }

    mutating func setSocket(_ socket: NIOBSDSocket.Handle, at place: Int) { sockets[place] = socket }
}
