import CEpoll
import Glibc
import NIOCore
import WSMCore
import WSMTLS

/// Who is told what happens on a socket, on its loop's thread.
protocol SocketOwner: AnyObject {
    /// The connection stands; bytes may be written.
    func socketOpened()
    /// Bytes have come; they are valid during the call. `at`: when they were read.
    func socketRead(_ bytes: UnsafeRawBufferPointer, at: MonotonicInstant)
    /// The last word about the socket, whoever closed it; with `error`, if that is why.
    func socketClosed(_ error: (any Error)?)
}

extension SocketOwner {
    /// Who takes over an open socket does not hear of it.
    func socketOpened() {}
}

/// One client's TCP connection, plain or with TLS: socket(7), tcp(7), without blocking.
///
/// Confined to its loop's thread. It reads when the kernel has bytes, once each time, into the loop's buffer: as much as fits
/// there, or what ``readLimit`` says. What the kernel does not take is kept, a few frames at most, since a client writes nothing
/// long. The owner is told of the end from the loop's next turn on, never within a call of its own.
final class ClientSocket {
    private enum State: Hashable {
        case connecting
        /// TCP stands, and TLS is being agreed upon.
        case securing
        case open
        case closed
    }

    /// How much it reads.
    enum Reading: Hashable {
        case freely
        /// Once, when there is something.
        case once
        case never
    }

    /// What may wait for the kernel to take it.
    ///
    /// Pings and pongs are not written while anything waits, so that only a close frame can be added; what went beyond the limit
    /// would be dropped.
    static let unsentLimit = 64 * 1024

    let descriptor: CInt
    /// Told of everything until the socket is closed.
    var owner: (any SocketOwner)?
    /// The most bytes of one read.
    var readLimit = SocketLoop.readCapacity

    private let loop: SocketLoop
    private var token: UInt64 = 0
    private var state = State.connecting
    private var reading = Reading.freely
    private var unsent: [UInt8] = []
    /// Whether the owner has been told of bytes since this was cleared.
    private var hasTold = false
    private var tls: TLSStream?

    /// How the connection is to be made.
    struct Options {
        var address: SocketAddress
        /// Where it leaves from; `nil`: the kernel chooses.
        var source: SocketAddress?
        /// Bytes of the kernel's receive buffer, which the kernel doubles; `nil`: as the system has it.
        var receiveBuffer: CInt?
        /// Makes the client's side of TLS; `nil` for a plain socket.
        var tls: (() throws -> TLSStream)?
    }

    /// Begins to connect; the owner is told what comes of it.
    ///
    /// - Throws: `IOError` when the system refuses at once.
    init(_ options: Options, loop: SocketLoop, owner: any SocketOwner) throws {
        self.loop = loop
        self.owner = owner
        descriptor = socket(
            options.address.protocol == .inet6 ? AF_INET6 : AF_INET,
            CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open a socket") }
        do {
            try connect(options)
            tls = try options.tls?()
            token = try loop.register(self, interest: wsmEpollOut)
        } catch {
            tls?.finish()
            Glibc.close(descriptor)
            throw error
        }
    }

    private func connect(_ options: Options) throws {
        set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        if let bytes = options.receiveBuffer { set(SOL_SOCKET, SO_RCVBUF, bytes) }
        if let source = options.source {
            // The port is chosen at connect, when it need only be unique for its destination (ip(7)).
            set(CInt(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
            let bound = source.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
            guard bound == 0 else { throw IOError(errnoCode: errno, reason: "bind a socket") }
        }
        let connected = options.address.withSockAddr { Glibc.connect(descriptor, $0, socklen_t($1)) }
        guard connected == 0 || errno == EINPROGRESS else { throw IOError(errnoCode: errno, reason: "connect") }
    }

    var isClosed: Bool { state == .closed }
    /// Whether the kernel has taken all that was written.
    var isWritable: Bool { state == .open && unsent.isEmpty }

    // MARK: What the kernel reports

    /// For the loop.
    func isReady(_ events: UInt32) {
        if state == .connecting { return finishConnecting() }
        if events & wsmEpollOut != 0 { flush() }
        if events & (wsmEpollError | wsmEpollHangUp | wsmEpollPeerEnd) != 0 { return readToEnd() }
        if events & wsmEpollIn != 0 {
            let isSingle = reading == .once
            if isSingle { read(.never) }
            hasTold = false
            // Of TLS it may have been the beginning of a record only.
            if receive(), isSingle, !hasTold { read(.once) }
        }
    }

    private func finishConnecting() {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { return end(IOError(errnoCode: code, reason: "connect")) }
        state = tls == nil ? .open : .securing
        listen()
        if let tls {
            advance { try tls.begin() }
        } else {
            owner?.socketOpened()
        }
    }

    /// Reads once; whether there was anything.
    private func receive() -> Bool {
        var count: Int
        repeat {
            count = recv(descriptor, loop.readBuffer.baseAddress, min(readLimit, SocketLoop.readCapacity), 0)
        } while count < 0 && errno == EINTR
        if count > 0 {
            take(UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count]))
            return true
        }
        if count == 0 {
            end(state == .securing ? TLSError(.closedInHandshake, "closed during the TLS handshake") : nil)
        } else if errno != EAGAIN {
            end(IOError(errnoCode: errno, reason: "read"))
        }
        return false
    }

    /// The peer has closed or reset the connection: what still lies there was sent before, and is read even by who reads slowly or
    /// not at all, so that nobody waits for a peer that is gone.
    private func readToEnd() {
        while state != .closed, receive() {}
        // Whatever the kernel said, it goes on saying it: nobody waits for more.
        if state != .closed { end(nil) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        let at = MonotonicInstant.now()
        guard let tls else {
            hasTold = true
            owner?.socketRead(bytes, at: at)
            return
        }
        advance { try tls.read(bytes) }
        guard state != .closed else { return }
        if state == .securing, tls.isSecured {
            state = .open
            owner?.socketOpened()
        }
        while state == .open, let plain = tls.next() {
            hasTold = true
            plain.withUnsafeReadableBytes { owner?.socketRead($0, at: at) }
        }
        if tls.hasEnded { end(nil) }
    }

    /// Lets TLS do something, and sends what it has to say.
    private func advance(_ step: () throws -> Void) {
        do {
            try step()
        } catch {
            // The peer is told why, if TLS has an alert for it.
            sendSealed()
            return end(error)
        }
        sendSealed()
    }

    private func sendSealed() {
        while let sealed = tls?.nextSealed() { sealed.withUnsafeReadableBytes { send($0) } }
    }

    // MARK: What the owner asks for

    /// Sends `bytes`, now or when the kernel takes them; on a closed socket nothing.
    func write(_ bytes: [UInt8]) {
        guard state == .open else { return }
        if let tls {
            advance { try tls.write(bytes) }
        } else {
            bytes.withUnsafeBytes { send($0) }
        }
    }

    /// From now on reads freely, once, or not at all.
    func read(_ wanted: Reading) {
        guard reading != wanted else { return }
        reading = wanted
        listen()
    }

    /// Ends the connection at once, and with TLS without its end; with `reset` the peer gets an RST (socket(7): no time to
    /// linger).
    func close(reset: Bool = false) {
        guard state != .closed else { return }
        if reset {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        end(nil)
    }

    /// Sets the kernel's receive buffer; of a closed socket nothing, since its number may be another's by now.
    func setReceiveBuffer(_ bytes: CInt) {
        if state != .closed { set(SOL_SOCKET, SO_RCVBUF, bytes) }
    }

    /// What the kernel keeps for this socket; `nil` where it does not tell.
    func memory() -> SocketMemory? {
        guard state != .closed else { return nil }
        var memory = SocketMemory()
        var length = socklen_t(MemoryLayout<SocketMemory>.size)
        let status = getsockopt(descriptor, SOL_SOCKET, SocketMemory.option, &memory, &length)
        return status == 0 ? memory : nil
    }

    // MARK: Within

    private func send(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        if unsent.isEmpty {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: bytes[count...])
            } else if errno != EAGAIN, errno != EINTR {
                // The peer is gone; what it said before is read first, and then its end is seen.
                return
            }
        }
        guard !rest.isEmpty, unsent.count + rest.count <= Self.unsentLimit else { return }
        unsent.append(contentsOf: rest)
        listen()
    }

    private func flush() {
        guard !unsent.isEmpty else { return }
        let count = unsent.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
        }
        if count >= 0 {
            unsent.removeFirst(count)
        } else if errno != EAGAIN, errno != EINTR {
            unsent = []
        }
        if unsent.isEmpty { listen() }
    }

    /// Tells the kernel what to report.
    private func listen() {
        guard state == .open || state == .securing else { return }
        let reads = reading == .never && state == .open ? 0 : wsmEpollIn
        loop.change(token, descriptor, interest: wsmEpollPeerEnd | reads | (unsent.isEmpty ? 0 : wsmEpollOut))
    }

    private func end(_ error: (any Error)?) {
        guard state != .closed else { return }
        state = .closed
        loop.deregister(token, descriptor)
        Glibc.close(descriptor)
        tls?.finish()
        let told = owner
        owner = nil
        loop.later { told?.socketClosed(error) }
    }

    private func set(_ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
}
