internal import Foundation
internal import WSMCertificates
internal import WSMCore
internal import WSMInstance
internal import WSMRedis
internal import WSMScenario
internal import WSMTLS

/// What a run makes so that its parts can trust each other: an authority, certificates, a key for tokens, a user for Redis.
///
/// All of it is thrown away with the run; only a private Redis' own certificate and key ever stand in files, in the server's
/// folder.
struct RunSecurity: Sendable {
    private(set) var parts = PartSecurity()
    /// How the private Redis is secured.
    private(set) var redis: EmbeddedRedis.Options

    /// The user of Redis that instances log in as.
    static let redisUser = "wsmlab-instance"

    /// - Parameter redis: What the private Redis is told otherwise.
    init(_ cluster: ClusterSpec, plan: LoadPlan, redis: EmbeddedRedis.Options) throws {
        self.redis = redis
        let needsAuthority = cluster.tls || cluster.redisSecurity.tls
        let authority = needsAuthority ? try RunAuthority(now: Date()) : nil
        if cluster.tls, let authority {
            parts.identity = TLSIdentity(try authority.issue())
            parts.trust = .pem(authority.certificate)
        }
        if cluster.redisSecurity.tls, let authority {
            self.redis.tls = .init(identity: TLSIdentity(try authority.issue()), authority: authority.certificate)
        }
        if cluster.redisSecurity.acl {
            self.redis.password = Self.secret()
            let channels = Set(plan.broadcasters.map(\.channel.name) + [ChannelName.events.name])
            self.redis.users = [
                RedisUser(name: Self.redisUser, password: Self.secret(), channels: channels.sorted())
            ]
        }
        if cluster.auth == .token { parts.tokenKey = TokenSigner.makeKey() }
    }

    /// Where the instances find a private Redis.
    func instancesURL(of server: EmbeddedRedis) -> RedisURL { server.url(as: Self.redisUser) ?? server.url }

    private static func secret() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

extension TLSIdentity {
    fileprivate init(_ identity: RunAuthority.Identity) {
        self.init(certificate: identity.certificate, privateKey: identity.privateKey)
    }
}
