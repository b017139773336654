import WSMCore

extension CrossChecks {
    /// What needs the run's own process, or processes of its own.
    mutating func checkProcesses() {
        let cluster = root.inside("cluster")
        let clients = root.inside("clients")
        if cluster.word("placement", Placement.inProcess) == .processes,
            clients.word("transport", Transport.websocket) == .direct
        {
            faults.error(
                at: origin(clients, "transport"), "clients.transport: direct needs cluster.placement: in-process",
                hint: "clients without sockets live in the instances' own process; use transport: websocket")
        }
        if clients.has("processes"), cluster.word("placement", Placement.inProcess) == .inProcess {
            faults.error(
                at: origin(clients, "processes"), "clients.processes needs cluster.placement: processes",
                hint: "else all clients live in the run's own process")
        }
        if cluster.word("executor", Executor.threadpool) == .worker,
            cluster.word("manager", ManagerKind.broadcast) == .memory
        {
            faults.error(
                at: origin(cluster, "executor"), "cluster.executor: worker needs cluster.manager: broadcast",
                hint: "in memory a worker process reaches no client of another process")
        }
    }
}
