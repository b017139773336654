import NIOCore
import NIOEmbedded
import Testing
import WSMCore
import WSMTLS

@testable import WSMRedis

@Suite("The TLS handshakes of an attempt to connect")
struct RedisHandshakesTests {
    let loop = EmbeddedEventLoop()

    func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 6379)).wait()
        return channel
    }

    @Test("A channel that was refused before anyone asked still says why")
    func refusedEarly() throws {
        let handshakes = RedisHandshakes(on: loop)
        let channel = try channel()
        try handshakes.begin(on: channel, deadline: .seconds(1))
        channel.pipeline.fireErrorCaught(TLSError(.certificateRefused, "its certificate is not signed"))
        #expect(throws: TLSError.self) { try channel.finish() }
        loop.run()
        let error = #expect(throws: TLSError.self) { _ = try handshakes.secured(channel).wait() }
        #expect(error?.code == .certificateRefused)
    }

    @Test("Of several channels the one that stands is asked, and closed when it gets no answer in time")
    func several() throws {
        let handshakes = RedisHandshakes(on: loop)
        let (lost, kept) = (try channel(), try channel())
        try handshakes.begin(on: lost, deadline: .seconds(1))
        try handshakes.begin(on: kept, deadline: .seconds(1))
        lost.pipeline.fireErrorCaught(TLSError(.certificateRefused, "its certificate is not signed"))
        #expect(throws: TLSError.self) { try lost.throwIfErrorCaught() }
        let secured = handshakes.secured(kept)
        loop.advanceTime(by: .seconds(1))
        let error = #expect(throws: TLSError.self) { _ = try secured.wait() }
        #expect(error?.code == .timedOut)
        #expect(!kept.isActive)
    }
}
