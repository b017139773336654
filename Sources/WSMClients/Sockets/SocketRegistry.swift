/// The sockets of a loop by their tokens; the token of one that is gone names nobody, though another has its place.
struct SocketRegistry<Socket> {
    private struct Place {
        var socket: Socket?
        var generation: UInt32 = 0
    }

    private var places: ContiguousArray<Place> = []
    private var free: [UInt32] = []

    var all: [Socket] { places.compactMap(\.socket) }

    subscript(token: UInt64) -> Socket? {
        let index = Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
        guard index < places.count, places[index].generation == UInt32(token >> 32) else { return nil }
        return places[index].socket
    }

    mutating func add(_ socket: Socket) -> UInt64 {
        let index = free.popLast() ?? UInt32(places.count)
        if Int(index) == places.count { places.append(Place()) }
        places[Int(index)].socket = socket
        return UInt64(places[Int(index)].generation) << 32 | UInt64(index)
    }

    mutating func remove(_ token: UInt64) {
        guard self[token] != nil else { return }
        let index = Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
        places[index].socket = nil
        // The largest generation is left to the tokens of the loop itself.
        places[index].generation = (places[index].generation &+ 1) & 0x7FFF_FFFF
        free.append(UInt32(index))
    }
}
