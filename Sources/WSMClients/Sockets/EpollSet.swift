import CEpoll
import NIOCore
import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The kernel's side of a ``SocketLoop``: the set of descriptors it waits for, its timer, and how others wake it.
///
/// Everything but ``wake()`` is for the loop's thread.
final class EpollSet: Sendable {
    static let wakeToken = UInt64.max
    static let timerToken = UInt64.max - 1

    private let set: CInt
    private let event: CInt
    private let timer: CInt

    /// - Throws: `IOError` when the system has no more descriptors.
    init() throws {
        set = epoll_create1(CInt(EPOLL_CLOEXEC))
        event = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
        timer = timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC | TFD_NONBLOCK))
        let code = errno
        guard set >= 0, event >= 0, timer >= 0 else {
            throw IOError(errnoCode: code, reason: "make an event loop")
        }
        try add(event, Self.wakeToken, interest: wsmEpollIn)
        try add(timer, Self.timerToken, interest: wsmEpollIn)
    }

    deinit {
        for descriptor in [set, event, timer] where descriptor >= 0 { close(descriptor) }
    }

    func add(_ descriptor: CInt, _ token: UInt64, interest: UInt32) throws {
        var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
        guard epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw IOError(errnoCode: errno, reason: "watch a socket")
        }
    }

    func change(_ descriptor: CInt, _ token: UInt64, interest: UInt32) {
        var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
        _ = epoll_ctl(set, EPOLL_CTL_MOD, descriptor, &event)
    }

    /// Before the descriptor is closed: a child that is just being started may hold it open for a moment.
    func remove(_ descriptor: CInt) {
        _ = epoll_ctl(set, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Waits for descriptors, the timer or a wake-up, or only looks; how many events there are.
    func wait(_ events: UnsafeMutableBufferPointer<epoll_event>, blocks: Bool) -> Int {
        // Interrupted by a signal there are none.
        Int(max(0, epoll_wait(set, events.baseAddress, CInt(events.count), blocks ? -1 : 0)))
    }

    /// Ends the loop's wait; from any thread.
    func wake() {
        var one: UInt64 = 1
        _ = write(event, &one, 8)
    }

    func clearWake() { clear(event) }
    func clearTimer() { clear(timer) }

    private func clear(_ descriptor: CInt) {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// Sets the timer to an instant of the monotonic clock in nanoseconds; `.max` disarms it.
    func setTimer(_ due: Int64) {
        var setting = itimerspec()
        if due != .max {
            // A time of zero would disarm it.
            let due = max(1, due)
            setting.it_value = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
        }
        _ = timerfd_settime(timer, CInt(TFD_TIMER_ABSTIME), &setting, nil)
    }
}
