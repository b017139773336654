// A SwiftNIO server of your own with a Broadcast manager in it: clients of ws://127.0.0.1:8090/ hear what is published
// on the Redis channel `events`, from this program or any other. Needs a Redis at redis://127.0.0.1:6379.
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import WSMCore
import WSMInstance
import WSMManagers
import WSMRedis

let group = MultiThreadedEventLoopGroup.singleton
let url = try RedisURL("redis://127.0.0.1:6379")
let manager = try await LiveWebSocketManager.make(
    .init(policies: .hardened, redis: url), on: Array(group.makeIterator())
).get()
try await manager.start(channels: [.events])

let server = try await ServerBootstrap(group: group).childChannelInitializer { channel in
    let upgrader = NIOWebSocketServerUpgrader(
        shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
        upgradePipelineHandler: { channel, _ in
            channel.eventLoop.makeCompletedFuture { try manager.connect(channel, to: .events) }
        })
    return channel.pipeline.configureHTTPServerPipeline(
        withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
}.bind(host: "127.0.0.1", port: 8090).get()

let publisher = manager.makePublisher(entity: 0)
publisher.broadcastData([.events], json: OrchestratorEvent.engineStatus.json)
try await server.closeFuture.get()
