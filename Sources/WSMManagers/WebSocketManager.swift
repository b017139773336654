public import WSMCore

/// The facade over the backends (`websocket/websocket_manager.py`): it picks one by the broadcaster URL's scheme and, when
/// WebSockets are disabled, turns every call into a no-op with a warning.
public struct WebSocketManager<Payload>: ManagerMachine {
    private enum Backend {
        case disabled
        case memory(MemoryWebSocketManager<Payload>)
        case broadcast(BroadcastWebSocketManager<Payload>)
    }

    private var backend: Backend

    /// The backend of this manager, whether enabled or not.
    public let kind: ManagerKind
    /// Calls that did nothing because WebSockets are disabled.
    ///
    /// A driver logs a warning when it grows.
    public private(set) var ignoredCalls = 0

    /// - Parameters:
    ///   - enabled: `ENABLE_WEBSOCKETS`.
    ///   - kind: See ``ManagerKind/init(broadcasterURL:)``.
    ///   - policies: What a profile decides.
    ///   - gapMark: How `resubscribe-marked` tells of a gap.
    ///   - seed: For the jitter of reconnects.
    public init(
        enabled: Bool = true, kind: ManagerKind, policies: ManagerPolicies, gapMark: GapMark = .close,
        seed: UInt64 = 0
    ) {
        self.kind = kind
        guard enabled else {
            backend = .disabled
            return
        }
        switch kind {
        case .memory: backend = .memory(MemoryWebSocketManager(policies: policies))
        case .broadcast:
            backend = .broadcast(BroadcastWebSocketManager(policies: policies, gapMark: gapMark, seed: seed))
        }
    }

    public var enabled: Bool {
        if case .disabled = backend { false } else { true }
    }

    public var clientCount: Int {
        switch backend {
        case .disabled: 0
        case .memory(let manager): manager.clientCount
        case .broadcast(let manager): manager.clientCount
        }
    }

    /// Subscriptions at the broker; 0 for Memory.
    public var subscriptionCount: Int {
        if case .broadcast(let manager) = backend { manager.subscriptionCount } else { 0 }
    }

    /// Whether every subscription is confirmed; true for Memory.
    public var isFullySubscribed: Bool {
        if case .broadcast(let manager) = backend { manager.isFullySubscribed } else { true }
    }

    public mutating func handle(
        _ input: ManagerInput<Payload>, now: MonotonicInstant, effects: inout [ManagerEffect<Payload>]
    ) {
        switch backend {
        case .disabled:
            ignoredCalls += 1
            if case .publish(let broadcast, _, _, _) = input { effects.append(.broadcastDone(broadcast, .refused)) }
        case .memory(var manager):
            backend = .disabled  // so that the machine is not copied while it changes
            manager.handle(input, now: now, effects: &effects)
            backend = .memory(manager)
        case .broadcast(var manager):
            backend = .disabled
            manager.handle(input, now: now, effects: &effects)
            backend = .broadcast(manager)
        }
    }
}

extension ManagerKind {
    /// The backend for a broadcaster URL: `redis` and `rediss` are Broadcast, everything else is Memory.
    public init(broadcasterURL url: some StringProtocol) {
        let scheme = url.prefix { $0 != ":" }.lowercased()
        self = scheme == "redis" || scheme == "rediss" ? .broadcast : .memory
    }
}
