internal import WSMCore

/// What the run cost, over the measured window.
package struct Resources: Codable, Hashable, Sendable {
    /// One entry an instance; instances in one process share its number and its memory.
    package var instances: [ResourceUsage]
    /// One entry a client process; the first with the threads of the load, wherever they ran.
    package var clients: [ResourceUsage]
    /// One entry a worker process; `nil` without.
    package var workers: [ResourceUsage]?
    package var redis: RedisUsage?
    /// What of the clients' CPU time is that of the load's threads; `nil` where there were none.
    package private(set) var loadCPUSeconds: Double?

    /// Counts the CPU time of the load's threads to the clients.
    mutating func addLoad(_ cpu: TimeSpan, deliveries: Int) {
        guard cpu > .zero, !clients.isEmpty else { return }
        loadCPUSeconds = cpu.seconds
        clients[0].add(cpu, deliveries: deliveries)
    }

    package init(
        instances: [ResourceUsage] = [], clients: [ResourceUsage] = [], workers: [ResourceUsage] = [],
        redis: RedisUsage? = nil
    ) {
        self.instances = instances
        self.clients = clients
        self.workers = workers.isEmpty ? nil : workers
        self.redis = redis
    }
}

/// The processor time and memory of one part of the system.
package struct ResourceUsage: Codable, Hashable, Sendable {
    package var pid: Int32
    package var cpuSeconds: Double
    /// `nil` where nothing was delivered.
    package var cpuSecondsPerMillionDeliveries: Double?
    package var rssBytes: Int64
    package var peakRssBytes: Int64

    package init(
        pid: Int32, cpuSeconds: Double, deliveries: Int, rssBytes: Int64, peakRssBytes: Int64
    ) {
        self.pid = pid
        self.cpuSeconds = cpuSeconds
        self.cpuSecondsPerMillionDeliveries = deliveries > 0 ? cpuSeconds * 1e6 / Double(deliveries) : nil
        self.rssBytes = rssBytes
        self.peakRssBytes = peakRssBytes
    }

    /// Adds CPU time of another part.
    fileprivate mutating func add(_ cpu: TimeSpan, deliveries: Int) {
        self = ResourceUsage(
            pid: pid, cpuSeconds: cpuSeconds + cpu.seconds, deliveries: deliveries, rssBytes: rssBytes,
            peakRssBytes: peakRssBytes)
    }
}

/// The Redis of the run.
///
/// Of one on another machine only the connections are known.
package struct RedisUsage: Codable, Hashable, Sendable {
    package var pid: Int32?
    package var cpuSeconds: Double?
    package var cpuSecondsPerMillionDeliveries: Double?
    package var rssBytes: Int64?
    package var peakRssBytes: Int64?
    /// The most connections that were open at a time.
    package var connections: Int
    /// Commands that it performed in the measured window, give or take those of the instants at its ends; of a cluster that
    /// the run started only, like the bytes.
    package var commands: Int?
    /// Bytes that it was sent and that it sent, those between its own servers too.
    package var bytesIn: Int?
    package var bytesOut: Int?

    /// Of several servers the sum; the number is the first one's.
    init(connections: Int, servers: [ResourceUsage]) {
        guard var sum = servers.first else {
            self.init(connections: connections)
            return
        }
        for server in servers.dropFirst() {
            sum.cpuSeconds += server.cpuSeconds
            sum.rssBytes += server.rssBytes
            sum.peakRssBytes += server.peakRssBytes
            if let more = server.cpuSecondsPerMillionDeliveries { sum.cpuSecondsPerMillionDeliveries? += more }
        }
        self.init(connections: connections, process: sum)
    }

    package init(connections: Int, process: ResourceUsage? = nil) {
        self.connections = connections
        self.pid = process?.pid
        self.cpuSeconds = process?.cpuSeconds
        self.cpuSecondsPerMillionDeliveries = process?.cpuSecondsPerMillionDeliveries
        self.rssBytes = process?.rssBytes
        self.peakRssBytes = process?.peakRssBytes
    }
}
