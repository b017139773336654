import CEpoll
package import Dispatch
package import NIOCore
import Synchronization
import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A thread that waits for its clients' sockets, its timers and what others ask of it: epoll(7), timerfd_create(2) and
/// eventfd(2) behind NIO's interface of an event loop.
///
/// What a load generator reads it reads with one call into the kernel and none into a pipeline of handlers: NIO's own channels
/// need a third of the CPU time of a small message for the way from epoll to their handler. Tasks and timers may be given from
/// any thread; sockets belong to the loop's thread. ``shutDown()`` closes what is still open.
package final class SocketLoop: EventLoop, @unchecked Sendable {
    /// What one read takes at most.
    static let readCapacity = 128 * 1024
    /// Sockets that one look at the kernel tells of.
    private static let eventLimit = 256

    /// Where all sockets read to, since only one is read at a time; for the loop's thread.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readCapacity, alignment: 16)

    private let tasks = LoopTasks()
    private let poll: EpollSet
    private var sockets = SocketRegistry<ClientSocket>()
    /// What the timer of the kernel is set to.
    private var armed = Int64.max
    /// The thread; zero before it has begun, and ``nobody`` once it has ended.
    private let owner = Atomic<UInt>(0)
    private static let nobody = UInt.max

    /// - Parameter name: Of the thread; at most 15 bytes are kept by the kernel.
    /// - Throws: `IOError` when the system has no more descriptors.
    package init(name: String) throws {
        poll = try EpollSet()
        // The thread holds the loop for as long as it runs.
        _ = DedicatedThread(name: name) { self.run() }
    }

    deinit {
        readBuffer.deallocate()
    }

    // MARK: The thread

    private func run() {
        owner.store(UInt(pthread_self()), ordering: .releasing)
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventLimit) { events in
            while true {
                let work = tasks.take(now: MonotonicInstant.now().nanoseconds)
                for task in work.tasks { task() }
                if work.isShut { break }
                let next = tasks.beforeWaiting()
                if next.due != armed {
                    armed = next.due
                    poll.setTimer(next.due)
                }
                let count = poll.wait(events, blocks: !next.isBusy)
                for event in events[..<count] { handle(event) }
            }
        }
        for socket in sockets.all { socket.close() }
        // Each closed socket has left a word for its owner.
        let rest = tasks.take(now: .min)
        for task in rest.tasks { task() }
        tasks.end()
        owner.store(Self.nobody, ordering: .releasing)
    }

    /// Waits for the last steps of a loop that takes nothing any more.
    private func awaitEnd() {
        while !inEventLoop { sched_yield() }
    }

    private func handle(_ event: epoll_event) {
        switch event.data.u64 {
        case EpollSet.wakeToken: poll.clearWake()
        case EpollSet.timerToken:
            poll.clearTimer()
            armed = .max
        default: sockets[event.data.u64]?.isReady(event.events)
        }
    }

    // MARK: Sockets, on the loop's thread

    /// Watches a socket for `interest`; what it gives names the socket from here on.
    func register(_ socket: ClientSocket, interest: UInt32) throws -> UInt64 {
        let token = sockets.add(socket)
        do {
            try poll.add(socket.descriptor, token, interest: interest)
        } catch {
            sockets.remove(token)
            throw error
        }
        return token
    }

    func change(_ token: UInt64, _ descriptor: CInt, interest: UInt32) {
        poll.change(descriptor, token, interest: interest)
    }

    func deregister(_ token: UInt64, _ descriptor: CInt) {
        poll.remove(descriptor)
        sockets.remove(token)
    }

    /// Runs `task` on the loop's thread in its next turn; for callers on it, whose task need not be sendable.
    func later(_ task: @escaping () -> Void) {
        assertInEventLoop()
        _ = tasks.add(task)
    }

    // MARK: EventLoop

    /// Where the loop has ended any thread counts as its own: futures are then completed and heard where they are, and nobody
    /// waits for a turn that never comes.
    package var inEventLoop: Bool {
        let owner = owner.load(ordering: .acquiring)
        return owner == UInt(pthread_self()) || owner == Self.nobody
    }

    package func execute(_ task: @escaping @Sendable () -> Void) {
        guard !give(task) else { return }
        awaitEnd()
        task()
    }

    package func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        let promise = makePromise(of: T.self)
        let isTaken = give { promise.assumeIsolated().completeWith(Result { try task() }) }
        if !isTaken {
            awaitEnd()
            promise.fail(EventLoopError.shutdown)
        }
        return promise.futureResult
    }

    private func give(_ task: @escaping () -> Void) -> Bool {
        let taken = tasks.add(task)
        if taken.needsWake, !inEventLoop { poll.wake() }
        return taken.isTaken
    }

    @discardableResult
    package func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = LoopTasks.Timer(
            due: Int64(clamping: deadline.uptimeNanoseconds),
            run: { promise.assumeIsolated().completeWith(Result { try task() }) },
            fail: { promise.fail(EventLoopError.shutdown) })
        let added = tasks.add(timer)
        if added.needsWake, !inEventLoop { poll.wake() }
        guard let number = added.number else {
            awaitEnd()
            promise.fail(EventLoopError.shutdown)
            return Scheduled(promise: promise, cancellationTask: {})
        }
        return Scheduled(promise: promise, cancellationTask: { [tasks] in tasks.cancel(number) })
    }

    @discardableResult
    package func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: .now() + delay, task)
    }

    /// Closes all sockets, fails what waits, and ends the thread; returns when that is done.
    package func shutDown() async {
        await withCheckedContinuation { continuation in
            if tasks.shutDown({ continuation.resume() }) { poll.wake() }
        }
    }

    package func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        if tasks.shutDown({ queue.async { callback(nil) } }) { poll.wake() }
    }
}

/// Loops of equal rank.
package struct SocketLoops: Sendable {
    package let all: [SocketLoop]

    /// - Throws: `IOError` when the system has no more descriptors.
    package init(count: Int) throws {
        all = try (0..<max(1, count)).map { try SocketLoop(name: "load-clients-\($0)") }
    }

    package func shutDown() async {
        for loop in all { await loop.shutDown() }
    }
}
