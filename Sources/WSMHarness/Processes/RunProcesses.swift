internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import WSMCore
internal import WSMScenario

/// Starts and ends the processes of a run, and gives each its assignment.
final class RunProcesses: Sendable {
    let scenario: Scenario
    private let security: PartSecurity
    let run: UInt32
    private let program: String
    /// Where the files lie in which processes write what they learn; they have no names for long.
    private let folder: String
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let warden = ProcessWarden()
    private let started = Monitor<[ChildProcess]>([])
    private let isShutDown = Monitor(false)

    private enum Deadline {
        /// Drawing a large plan takes a while.
        static let begin = TimeSpan.seconds(60)
        static let end = TimeSpan.seconds(3)
    }

    /// - Parameters:
    ///   - program: This program, which the processes run too.
    ///   - folder: The run folder.
    init(_ scenario: Scenario, security: PartSecurity, run: UInt32, program: String, folder: String) {
        self.scenario = scenario
        self.security = security
        self.run = run
        self.program = program
        self.folder = folder
    }

    /// Starts a process and waits until it is what `role` says.
    ///
    /// - Returns: The process, and where it listens.
    func start(_ role: ChildAssignment.Role, name: String) async throws -> (process: ChildProcess, port: Int) {
        let process = try await ChildProcess.start(program, name: name, on: group)
        warden.watch(process.pid)
        started.withLock { $0.append(process) }
        let assignment = ChildAssignment(
            scenario: scenario.yaml(), security: security, run: run, role: role)
        do {
            guard case .ready(let port) = try await process.ask(.begin(assignment), deadline: Deadline.begin) else {
                throw HarnessError(.internalFault, "\(name) answered its assignment with something else")
            }
            return (process, port)
        } catch let failure as ChildFailure {
            throw HarnessError(failure.error.code, "\(name): \(failure.message)")
        }
    }

    /// A new name in the run folder.
    func path(_ name: String) -> String { "\(folder)/.\(name)-\(UUID().uuidString.prefix(8))" }

    /// Ends all processes; each is killed that has not ended in time.
    ///
    /// Further calls do nothing.
    func shutDown() async {
        let isFirst = isShutDown.withLock { isShutDown in
            defer { isShutDown = true }
            return !isShutDown
        }
        guard isFirst else { return }
        let deadline = MonotonicInstant.now() + Deadline.end
        await withTaskGroup(of: Void.self) { tasks in
            for process in started.withLock({ $0 }) { tasks.addTask { await process.finish(deadline: deadline) } }
        }
        await warden.finish()
        try? await group.shutdownGracefully()
    }

    /// Tells the warden of a process that has ended.
    func forget(_ process: ChildProcess) { warden.forget(process.pid) }
}
