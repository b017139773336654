import WSMCore

/// What travels through a relay: so many bytes, and what happens at the other end once the last of them has come.
struct Cargo: LinkBytes {
    private(set) var byteCount: Int
    /// Nothing happens for the first pieces of a cargo that was divided.
    let arrive: () -> Void

    init(bytes: Int, arrive: @escaping () -> Void) {
        byteCount = max(1, bytes)
        self.arrive = arrive
    }

    mutating func takeFirst(_ count: Int) -> Cargo {
        guard count < byteCount else {
            let all = self
            byteCount = 0
            return all
        }
        byteCount -= count
        return Cargo(bytes: count) {}
    }
}
