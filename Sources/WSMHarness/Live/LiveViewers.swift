internal import NIOCore
internal import NIOWebSocket
internal import Synchronization
internal import WSMCore

/// The WebSockets that look on; all on one event loop.
///
/// Safe from any thread: what touches the sockets goes through the loop.
final class LiveViewers: Sendable {
    /// What stands by for viewers.
    struct Load: Hashable, Sendable {
        /// Connections of all kinds.
        var connections = 0
        var viewers = 0
        /// Texts that wait for the one before them to go out.
        var waitingTexts = 0
        /// Bytes that the kernel has not taken yet.
        var bufferedBytes = 0
    }

    private let loop: any EventLoop
    private let limits: LiveServer.Limits
    private let greeting: @Sendable () -> [String]
    private let connections = Atomic<Int>(0)
    private let joined = Atomic<Int>(0)
    private let handlers: NIOLoopBoundBox<[ObjectIdentifier: LiveViewerHandler]>

    init(loop: any EventLoop, limits: LiveServer.Limits, greeting: @escaping @Sendable () -> [String]) {
        self.loop = loop
        self.limits = limits
        self.greeting = greeting
        handlers = NIOLoopBoundBox.makeBoxSendingValue([:], eventLoop: loop)
    }

    /// Counts a new connection; false when there are too many.
    func admit(_ channel: any Channel) -> Bool {
        let (_, now) = connections.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { _ in self.connections.subtract(1, ordering: .relaxed) }
        return now <= limits.connections
    }

    /// Takes in a socket that has just been upgraded, on the loop.
    func join(_ channel: any Channel) throws {
        let handler = LiveViewerHandler(closeDeadline: limits.close, greeting: greeting)
        let id = ObjectIdentifier(handler)
        handlers.value[id] = handler
        joined.add(1, ordering: .relaxed)
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            self.handlers.value[id] = nil
            self.joined.subtract(1, ordering: .relaxed)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    func send(_ make: @escaping @Sendable () -> String) {
        guard joined.load(ordering: .relaxed) > 0 else { return }
        loop.execute {
            guard !self.handlers.value.isEmpty else { return }
            let buffer = ByteBuffer(string: make())
            for handler in self.handlers.value.values { handler.send(buffer) }
        }
    }

    /// Sends `last` to all, and closes their sockets in order; at the deadline they are cut.
    func finish(last: String?, deadline: TimeSpan) async {
        let closed = loop.flatSubmit { () -> EventLoopFuture<Void> in
            let handlers = Array(self.handlers.value.values)
            let all = EventLoopFuture.andAllComplete(handlers.compactMap(\.closed), on: self.loop)
            let timer = self.loop.assumeIsolated().scheduleTask(in: .nanoseconds(deadline.nanoseconds)) {
                for handler in handlers { handler.cut() }
            }
            let buffer = last.map { ByteBuffer(string: $0) }
            for handler in handlers { handler.finish(buffer) }
            all.whenComplete { _ in timer.cancel() }
            return all
        }
        try? await closed.get()
    }

    func load() async -> Load {
        let load = loop.submit {
            var load = Load()
            load.connections = self.connections.load(ordering: .relaxed)
            load.viewers = self.handlers.value.count
            for handler in self.handlers.value.values {
                load.waitingTexts += handler.waitingTexts
                load.bufferedBytes += handler.bufferedBytes
            }
            return load
        }
        return (try? await load.get()) ?? Load()
    }
}
