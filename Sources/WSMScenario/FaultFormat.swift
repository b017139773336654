import WSMCore

/// The grammar of `faults`: which keys belong to which action.
enum FaultFormat {
    static let actions: [Variant] = FaultAction.allCases.map {
        Variant(word: $0.rawValue, summary: summary(of: $0), format: format(of: $0))
    }

    private static func format(of action: FaultAction) -> MapFormat {
        let parameters: [KeyFormat] =
            switch action {
            case .redisRestart: [required(downtime)]
            case .redisKill: [downtime]
            case .redisFailover: []
            case .redisPause: [required(duration)]
            case .redisDisconnectClients: [share]
            case .redisSlow: [required(duration), required(delay)]
            case .instanceKill, .instanceStop: [target, restartAfter]
            case .instancePause: [target, required(duration)]
            case .linkDelay: [between, target, share, required(duration), required(delay)]
            case .linkCut: [between, target, share, required(duration), afterwards]
            case .linkThrottle: [between, target, share, required(duration), required(rate)]
            case .clientsDisconnect: [target, share, how]
            case .clientsStall: [target, share, required(duration)]
            }
        return MapFormat(keys: [at, every] + parameters, oneOf: ["at", "every"])
    }

    private static func required(_ key: KeyFormat) -> KeyFormat {
        var key = key
        key.isRequired = true
        return key
    }

    private static let offset = TimeSpan.zero...Limits.duration.upperBound

    private static let at = KeyFormat("at", .duration(offset), "When, counted from the start of the measured window.")
    private static let every = KeyFormat("every", .duration(Limits.duration), "Again and again, this far apart.")
    private static let target = KeyFormat(
        "target", .count(0...Limits.instances.upperBound - 1), "The instance, counted from 0. Default: all.")
    private static let share = KeyFormat("share", .share, default: "100%", "The part of the clients or links it hits.")
    private static let duration = KeyFormat("duration", .duration(Limits.duration), "How long it lasts.")
    private static let downtime = KeyFormat("downtime", .duration(offset), "How long it stays away.")
    private static let restartAfter = KeyFormat(
        "restartAfter", .duration(offset), "When it comes back. Default: not within the run.")
    private static let delay = KeyFormat("delay", .distribution, "What it adds to each message.")
    private static let rate = KeyFormat("rate", .byteRate(Limits.readRate), "What it lets through.")
    private static let between = KeyFormat(
        "between", .choice(FaultLink.words), default: "redis", "The links of instances to Redis or to their clients.")

    private static let how = KeyFormat(
        "how", .choice(ConnectionLoss.words), default: "reset",
        "An RST, a FIN, or nothing at all: the old socket stays open and silent.")
    private static let afterwards = KeyFormat(
        "afterwards", .choice(CutAftermath.words), default: "reset",
        "What becomes of the connections: both ends get an RST, or all that waited arrives.")

    private static func summary(of action: FaultAction) -> String {
        switch action {
        case .redisRestart: "Redis goes away and comes back empty."
        case .redisKill: "Redis is killed."
        case .redisFailover: "The sentinels make a replica the master, in order."
        case .redisPause: "Redis stops answering, its connections stay."
        case .redisDisconnectClients: "Redis drops its connections."
        case .redisSlow: "Redis answers late."
        case .instanceKill: "An instance dies at once."
        case .instanceStop: "An instance shuts down in order."
        case .instancePause: "An instance stands still."
        case .linkDelay: "A link becomes slow."
        case .linkCut: "A link is cut."
        case .linkThrottle: "A link lets less through."
        case .clientsDisconnect: "Clients lose their connections."
        case .clientsStall: "Clients stop reading."
        }
    }
}
