import Allocations
import NIOCore
import NIOPosix
import WSMCore
import WSMInstance
import WSMManagers

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the fan-out of a message allocates, counted: with many clients no more than with few.
///
/// The clients are bare sockets that a thread drains into one buffer, so that every allocation of the process is the
/// instance's.
struct FanOutBench {
    private static let few = 100
    private static let many = 1000
    private static let messages = 500

    func run() async throws {
        print("Allocations of the fan-out in memory, \(Self.messages) messages of 256 bytes")
        print("")
        let few = try await allocations(clients: Self.few)
        let many = try await allocations(clients: Self.many)
        let each = Double(many - few) / Double(Self.messages * (Self.many - Self.few))
        print("  \(Self.few) clients: \(Table.decimal(Double(few) / Double(Self.messages), 2)) a message")
        print("  \(Self.many) clients: \(Table.decimal(Double(many) / Double(Self.messages), 2)) a message")
        print("  for each further client: \(Table.decimal(each, 5)) a message")
    }

    /// Allocations of the process while ``messages`` reach so many clients.
    private func allocations(clients: Int) async throws -> Int {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let instance = try await LiveInstance.start(.init(manager: .init()), on: group)
        let drain = try SocketDrain(port: instance.port, clients: clients)
        while instance.manager.counters.clients < clients { try await Task.sleep(nanoseconds: 1_000_000) }
        let counted = await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "bench-publish") {
                let publisher = instance.manager.makePublisher(entity: 1)
                let text = #"{"name":"bench","value":"\#(String(repeating: "v", count: 230))"}"#
                let broadcast = Broadcast(channels: [.events], json: Array(text.utf8))
                // The first write to a socket goes through its channel, which allocates.
                for _ in 0..<3 { publisher.broadcastData([broadcast]) }
                drain.await(bytes: clients * 3 * (text.utf8.count + 4))
                let before = allocations_count()
                for _ in 0..<Self.messages { publisher.broadcastData([broadcast]) }
                drain.await(bytes: clients * (Self.messages + 3) * (text.utf8.count + 4))
                continuation.resume(returning: Int(allocations_count() - before))
            }
        }
        drain.close()
        _ = try await instance.stop(deadline: .milliseconds(200))
        try await group.shutdownGracefully()
        return counted
    }
}

/// WebSocket clients that only read, on one thread.
private final class SocketDrain: Sendable {
    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let sockets: [Int32]
    private let read = Monitor(0)
    private let isClosed = Monitor(false)

    init(port: Int, clients: Int) throws {
        sockets = try (0..<clients).map { _ in try Self.connect(port: port) }
        let sockets = self.sockets
        let (read, isClosed) = (self.read, self.isClosed)
        _ = DedicatedThread(name: "bench-drain") {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
            defer { buffer.deallocate() }
            while !isClosed.withLock({ $0 }) {
                var count = 0
                for socket in sockets {
                    let bytes = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                    if bytes > 0 { count += bytes }
                }
                if count > 0 { read.update { $0 += count } } else { usleep(200) }
            }
            for socket in sockets { Glibc.close(socket) }
        }
    }

    /// Waits until so many bytes were read, the answers to the handshakes not among them.
    func await(bytes: Int) {
        let found: Bool? = read.wait(until: .now() + .seconds(60)) { $0 >= bytes ? true : nil }
        precondition(found == true, "the clients did not get all messages within 60 s")
    }

    func close() { isClosed.update { $0 = true } }

    private static func connect(port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "cannot connect to port \(port): errno \(errno)") }
        let request = Array(
            ("GET /api/ws/events HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)
        _ = send(descriptor, request, request.count, 0)
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        while answer.suffix(4) != [13, 10, 13, 10] {
            guard recv(descriptor, &byte, 1, 0) == 1 else {
                throw Failure(description: "the handshake was not answered")
            }
            answer.append(byte)
        }
        return descriptor
    }
}
