/// One connection of a client to an instance, both ends of it: 32 bytes, however many messages pass.
///
/// Connections are numbered in the order of their attempts and never reused.
struct Connection {
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The client's session is open.
        static let clientOpen = Flags(rawValue: 1)
        /// The instance's socket is open.
        static let serverOpen = Flags(rawValue: 2)
        /// The instance has sent a close frame.
        static let serverClosing = Flags(rawValue: 4)
        /// A reset has come, and the instance has not noticed it.
        static let reset = Flags(rawValue: 8)
        /// The instance's socket is over its high-water mark.
        static let unwritable = Flags(rawValue: 16)
        /// The slow-client policy left out the last message for it.
        static let leftOut = Flags(rawValue: 32)
        /// Its manager was told that a send had failed.
        static let failureTold = Flags(rawValue: 64)
        /// The client has got its close frame.
        static let closeSeen = Flags(rawValue: 128)
    }

    let client: UInt32
    let instance: UInt16
    var flags: Flags = []
    /// The observer's handle of the session, or -1.
    var session: Int32 = -1
    /// The number that the instance knows it by.
    var number: UInt32 = 0
    /// Its place among the members of its channel, or -1.
    var member: Int32 = -1
    /// The index of its backlog while its client does not read as fast as it can, or -1.
    var backlog: Int32 = -1
}
