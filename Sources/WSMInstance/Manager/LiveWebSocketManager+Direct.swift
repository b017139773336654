public import NIOCore
public import WSMCore

extension LiveWebSocketManager {
    /// Takes clients of this process that have no sockets, on one of the manager's event loops; once a loop.
    ///
    /// They are admitted, sent to, closed and dropped as others are. They never are slow, and send nothing. To be called on
    /// `loop`.
    ///
    /// - Parameters:
    ///   - receiver: Who gets what they get, on that loop.
    ///   - channel: What they listen to.
    ///   - loop: Where they live.
    public func attachDirectClients(
        _ receiver: any DirectReceiver, to channel: ChannelName = .events, on loop: any EventLoop
    ) throws -> any DirectPort {
        loop.assertInEventLoop()
        guard let shard = shards.first(where: { $0.eventLoop === loop }) else { throw ManagerMisuse.foreignEventLoop }
        let direct = DirectClients(channel: channel, receiver: receiver, inbox: inbox) { [unowned self] in
            countClient()
        }
        shard.value.attach(direct)
        let driver = self.driver
        // Before the first of them is heard of: what they post comes to the manager's loop after this.
        eventLoop.execute { driver.value.carriesMessages = true }
        return direct
    }
}
