internal import WSMCore

/// What the parts of a run cost on one machine, fitted to live runs there: schema `wsmlab.calibration/6`.
///
/// `wsmlab calibrate` writes it, `wsmlab simulate --calibration` and `wsmlab predict` read it.
package struct MachineCalibration: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.calibration/6"

    /// The machine that it holds for.
    package struct Machine: Codable, Equatable, Sendable {
        package var cores: Int
        /// The model of its CPU; `nil` where the kernel does not tell.
        package var cpu: String?
        package var kernel: String
        /// ``MachineIdentity``.
        package var id: String?
    }

    /// The build that it holds for: another one may cost more, or less.
    package struct Program: Codable, Equatable, Sendable {
        package var version: String
        package var swift: String
        /// `release` or `debug`.
        package var build: String
    }

    /// A number of the model, in nanoseconds.
    package struct Coefficient: Codable, Equatable, Sendable {
        package var nanoseconds: Int64
        /// How measured values lay around it.
        package var residuals: [Residual]

        package init(nanoseconds: Int64, residuals: [Residual] = []) {
            self.nanoseconds = nanoseconds
            self.residuals = residuals
        }
    }

    /// A quantile: so many of a million measured values were at most so many thousandths of what the model says.
    package struct Residual: Codable, Equatable, Sendable {
        package var perMillion: Int64
        package var perMille: Int64

        package init(perMillion: Int64, perMille: Int64) {
            self.perMillion = perMillion
            self.perMille = perMille
        }
    }

    /// The numbers of the model.
    package enum Name: String, CaseIterable, Sendable {
        /// How much longer a wake-up takes than that of its core, for each doubling of the thread's sleep.
        case wakeCold
        /// How late a thread is that sleeps until an instant.
        case pacing
        /// How much later it is for each doubling of the time since a thread of the load was last due.
        case pacingCold
        /// An event loop's CPU time for a turn, and for each message from the broker or other input in it.
        case turn
        case input
        /// An event loop's CPU time for one write to one client.
        case write
        case writePerKilobyte
        /// A publishing thread's CPU time for a broadcast, how much more it is where that goes to Redis, and for each doubling of the
        /// time since one of its process last published.
        case publish
        case publishToRedis
        case publisherCold
        /// Its CPU time for each sleep until something is due.
        case timedWait
        /// Redis' CPU time for a command, and for each connection that it writes to.
        case redisCommand
        case redisSubscriber
        /// The load generator's CPU time for a turn of its loop, a read with one message, and for each further message of a read.
        case clientTurn
        case receive
        case receiveMore
        case receivePerKilobyte
        /// The CPU time that the first work of an instance's loop, of Redis and of a client's loop costs more, for each doubling of
        /// its sleep (`Coldness`).
        case instanceCold
        case redisCold
        case clientCold
        /// The same for each write and each read, for each doubling of its socket's rest.
        case writeCold
        case receiveCold
    }

    /// How well the CPU time of one part was fitted.
    package struct Fit: Codable, Equatable, Sendable {
        /// `instances`, `redis` or `clients`.
        package var part: String
        /// The part of the variance that the model explains.
        package var rSquared: Double
        /// The root of the mean square of what is left over, as a part of the mean.
        package var relativeError: Double
        /// CPU seconds a second that are there at any load (an instance, for the instances), in nanoseconds a second.
        package var background: Int64
        package var rows: Int
    }

    package var schema = MachineCalibration.schemaName
    /// The wall clock, ISO 8601 in UTC.
    package var madeAt: String
    package var machine: Machine
    package var program: Program
    package var waking: Waking
    /// By ``Name``.
    package var coefficients: [String: Coefficient]
    package var fits: [Fit]
    /// The live runs that it was fitted to.
    package var rows: [CalibrationRow]

    package init(
        madeAt: String, machine: Machine, program: Program, waking: Waking, coefficients: [String: Coefficient],
        fits: [Fit], rows: [CalibrationRow]
    ) {
        self.madeAt = madeAt
        self.machine = machine
        self.program = program
        self.waking = waking
        self.coefficients = coefficients
        self.fits = fits
        self.rows = rows
    }

    package subscript(name: Name) -> Coefficient {
        get { coefficients[name.rawValue] ?? Coefficient(nanoseconds: 0) }
        set { coefficients[name.rawValue] = newValue }
    }
}

/// One live run of a calibration: what was asked for, what came of it, and what it cost.
package struct CalibrationRow: Codable, Equatable, Sendable {
    package var load: CalibrationLoad
    /// Of the run itself: `valid`, `suspect` or `invalid`.
    package var validity: String
    package var seconds: Double
    package var deliveriesPerSecond: Double
    package var publishedPerSecond: Double
    /// CPU seconds a second.
    package var instancesCPU: Double
    package var redisCPU: Double
    package var clientsCPU: Double
    /// What of that the publishing threads used.
    package var publishersCPU: Double
    /// Nanoseconds, from the intended instant.
    package var latencyP50: Int64
    package var latencyP99: Int64
    package var slipP50: Int64
    /// What cannot be counted from outside, from a simulation of the step.
    package var drivers: CalibrationDrivers

    /// The cores' time that the run used, a part of all.
    package func utilisation(cores: Int) -> Double {
        (instancesCPU + redisCPU + clientsCPU) / Double(max(1, cores))
    }
}

/// What the parts did a second in one step, as its simulation has it: writes that carry several messages, and turns that
/// handle several writes, depend on how busy everything is.
package struct CalibrationDrivers: Codable, Equatable, Sendable {
    package var turns: Double
    package var writes: Double
    package var clientTurns: Double
    package var reads: Double
    package var furtherMessages: Double
    /// CPU seconds a second that go into waking cores, by whose they are; clients without the publishing threads.
    package var publishersWaking = 0.0
    package var instancesWaking = 0.0
    package var redisWaking = 0.0
    package var clientsWaking = 0.0
    /// How cold they were when they were woken, in doublings of their sleep over all that happened in a second.
    package var publishersCold = 0.0
    /// How often the load's publishers slept until something was due.
    package var timedWaits = 0.0
    package var instancesCold = 0.0
    package var redisCold = 0.0
    package var clientsCold = 0.0
    /// The same for the sockets, over all writes and all reads of a second.
    package var writesCold = 0.0
    package var readsCold = 0.0
}

/// One step of the staircase.
package struct CalibrationLoad: Codable, Hashable, Sendable {
    package var manager: String
    package var instances: Int
    package var clients: Int
    /// Broadcasts a second.
    package var rate: Int
    /// Bytes.
    package var payload: Int
    /// Threads that publish.
    package var publishers: Int

    package init(
        _ manager: String, instances: Int, clients: Int, rate: Int, payload: Int = 256, publishers: Int = 2
    ) {
        self.manager = manager
        self.instances = instances
        self.clients = clients
        self.rate = rate
        self.payload = payload
        self.publishers = publishers
    }

    /// How long it is from one broadcast to the next.
    var pause: TimeSpan { .nanoseconds(1_000_000_000 / Int64(max(1, rate))) }

    /// For people, and as the name of a folder: `broadcast-2x100-50-256-2`.
    package var name: String { "\(manager)-\(instances)x\(clients)-\(rate)-\(payload)-\(publishers)" }

    /// The built-in plan: client counts by rates, a few with large payloads, more instances, and in memory.
    package static let plan: [CalibrationLoad] = [
        .init("broadcast", instances: 1, clients: 100, rate: 4),
        .init("broadcast", instances: 2, clients: 100, rate: 6),
        .init("broadcast", instances: 1, clients: 5, rate: 5000),
        .init("broadcast", instances: 1, clients: 5, rate: 12000),
        .init("broadcast", instances: 3, clients: 9, rate: 9000),
        .init("broadcast", instances: 1, clients: 8, rate: 2000, publishers: 6),
        .init("broadcast", instances: 1, clients: 8, rate: 16000, publishers: 6),
        .init("broadcast", instances: 2, clients: 8, rate: 400, publishers: 1),
        .init("broadcast", instances: 1, clients: 20, rate: 50),
        .init("broadcast", instances: 1, clients: 20, rate: 200),
        .init("broadcast", instances: 1, clients: 20, rate: 1200),
        .init("broadcast", instances: 1, clients: 100, rate: 25),
        .init("broadcast", instances: 1, clients: 100, rate: 100),
        .init("broadcast", instances: 1, clients: 180, rate: 50),
        .init("broadcast", instances: 1, clients: 100, rate: 350),
        .init("broadcast", instances: 1, clients: 100, rate: 900),
        .init("broadcast", instances: 2, clients: 10, rate: 3000),
        .init("broadcast", instances: 2, clients: 100, rate: 50),
        .init("broadcast", instances: 2, clients: 180, rate: 25),
        .init("broadcast", instances: 2, clients: 160, rate: 250),
        .init("broadcast", instances: 1, clients: 160, rate: 800),
        .init("broadcast", instances: 2, clients: 120, rate: 700),
        .init("broadcast", instances: 2, clients: 160, rate: 700),
        .init("broadcast", instances: 4, clients: 40, rate: 100),
        .init("broadcast", instances: 4, clients: 80, rate: 400),
        .init("broadcast", instances: 1, clients: 50, rate: 100, payload: 4096),
        .init("broadcast", instances: 2, clients: 100, rate: 300, payload: 4096),
        .init("memory", instances: 1, clients: 100, rate: 4),
        .init("memory", instances: 1, clients: 5, rate: 6000),
        .init("memory", instances: 1, clients: 5, rate: 14000),
        .init("memory", instances: 1, clients: 8, rate: 2000, publishers: 1),
        .init("memory", instances: 1, clients: 8, rate: 8000, publishers: 5),
        .init("memory", instances: 1, clients: 20, rate: 100),
        .init("memory", instances: 1, clients: 20, rate: 1500),
        .init("memory", instances: 1, clients: 100, rate: 50),
        .init("memory", instances: 1, clients: 180, rate: 50),
        .init("memory", instances: 1, clients: 100, rate: 300),
        .init("memory", instances: 1, clients: 50, rate: 2500),
        .init("memory", instances: 1, clients: 120, rate: 800),
        .init("memory", instances: 1, clients: 180, rate: 900),
    ]
}
