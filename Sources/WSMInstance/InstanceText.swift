internal import WSMCore
internal import WSMManagers

/// What an instance says of itself: `/health` and `/metrics`.
///
/// From any thread.
struct InstanceText: Sendable {
    let manager: LiveWebSocketManager
    let engine: WorkflowEngine
    let thread: ProcessDataBroadcastThread?

    /// As JSON.
    ///
    /// The reference's health check knows nothing of its broadcast thread; this one says whether it lives.
    var health: String {
        let state =
            switch thread?.end {
            case nil: thread == nil ? "none" : "running"
            case .stopped: "stopped"
            case .died: "dead"
            }
        let status = thread?.end == .died ? "degraded" : "ok"
        return #"{"status":"\#(status)","broadcastThread":"\#(state)","clients":\#(manager.counters.clients)}"#
    }

    /// In Prometheus' text format, version 0.0.4.
    var metrics: String {
        let counters = manager.counters
        let load = engine.load
        let rows: [(name: String, kind: String, help: String, value: Int)] = [
            ("wsm_clients", "gauge", "WebSocket clients connected now", counters.clients),
            ("wsm_connections_total", "counter", "WebSocket handshakes accepted", counters.connections),
            ("wsm_broker_messages_total", "counter", "Messages received from the broker", counters.brokerMessages),
            ("wsm_broadcasts_total", "counter", "Broadcasts that the broker or the manager took", counters.published),
            ("wsm_broadcasts_failed_total", "counter", "Broadcasts that failed", counters.failed),
            ("wsm_queue_refused_total", "counter", "Updates that a full queue refused", counters.queueRefused),
            ("wsm_slow_clients_evicted_total", "counter", "Slow clients disconnected", counters.evicted),
            ("wsm_broadcast_queue", "gauge", "Updates that wait for the broadcast thread", thread?.waiting ?? 0),
            ("wsm_broadcast_thread_up", "gauge", "Whether the broadcast thread lives", isThreadUp ? 1 : 0),
            ("wsm_processes_waiting", "gauge", "Processes that wait for a worker", load.waiting),
            ("wsm_processes_running", "gauge", "Processes that a worker runs", load.running),
        ]
        return rows.map { row in
            "# HELP \(row.name) \(row.help)\n# TYPE \(row.name) \(row.kind)\n\(row.name) \(row.value)\n"
        }.joined()
    }

    private var isThreadUp: Bool { thread.map { $0.end == nil } ?? false }
}
