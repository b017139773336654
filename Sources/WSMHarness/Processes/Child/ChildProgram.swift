internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import WSMCore
internal import WSMScenario

/// The program of a process that a run has started: it answers the run's requests on its standard input, a socket, and ends
/// when the run closes it, however the run ended.
package enum ChildProgram {
    /// Does not return: the process ends.
    package static func run() async {
        guard isSocket(STDIN_FILENO) else { refuse("its standard input is no socket") }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = ChildServer()
        do {
            let channel = try await MessageChannel.open(
                descriptor: STDIN_FILENO, on: group, received: { server.received($0) },
                // Nothing is to be saved: what is known stands in the journal and in the trace.
                closed: { _exit(ExitCode.passed.rawValue) })
            server.attach(channel)
        } catch {
            refuse("\(error)")
        }
        while true { try? await Task.sleep(nanoseconds: 1_000_000_000_000) }
    }
}

extension ChildProgram {
    private static func isSocket(_ descriptor: CInt) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func refuse(_ why: String) -> Never {
        FileHandle.standardError.write(
            Data("wsmlab: error: only a run starts wsmlab child: \(why). Use wsmlab run\n".utf8))
        _exit(ExitCode.usage.rawValue)
    }
}

/// What a process is to its run once it has its assignment.
protocol ChildRole: Sendable {
    /// - Throws: an error that the run is told.
    func answer(_ request: ChildRequest) async throws -> ChildReply
}

/// Takes the requests, each in a task of its own, and sends the answers.
private final class ChildServer: Sendable {
    private struct State {
        var channel: MessageChannel?
        var early: [ByteBuffer] = []
        var role: (any ChildRole)?
    }

    private let state = Mutex(State())

    func attach(_ channel: MessageChannel) {
        let early = state.withLock { state in
            state.channel = channel
            defer { state.early = [] }
            return state.early
        }
        for message in early { received(message) }
    }

    func received(_ message: ByteBuffer) {
        let isEarly = state.withLock { state in
            if state.channel == nil { state.early.append(message) }
            return state.channel == nil
        }
        guard !isEarly else { return }
        Task { await self.answer(message) }
    }

    private func answer(_ message: ByteBuffer) async {
        guard let call = try? ChildCoding.read(ChildCall.self, message) else {
            // Without a number nobody can be answered, and a run of another version is none to go on with.
            FileHandle.standardError.write(Data("wsmlab child: a request that cannot be read\n".utf8))
            _exit(ExitCode.internalError.rawValue)
        }
        var answer = ChildAnswer(id: call.id)
        do {
            answer.reply = try await reply(to: call.request)
        } catch {
            answer.failure = ChildFailure(error)
        }
        guard let bytes = try? ChildCoding.bytes(answer) else { return }
        state.withLock { $0.channel }?.send(bytes)
    }

    private func reply(to request: ChildRequest) async throws -> ChildReply {
        guard case .begin(let assignment) = request else {
            guard let role = state.withLock({ $0.role }) else {
                throw HarnessError(.internalFault, "a process was asked before it had its assignment")
            }
            return try await role.answer(request)
        }
        guard let scenario = ScenarioFile.parse(text: assignment.scenario, name: "scenario.yaml").scenario else {
            throw HarnessError(.internalFault, "a process cannot read the scenario as the run wrote it")
        }
        let (role, port) = try await Self.take(assignment, scenario)
        state.withLock { $0.role = role }
        return .ready(port: port)
    }

    private static func take(
        _ assignment: ChildAssignment, _ scenario: Scenario
    ) async throws -> (any ChildRole, port: Int) {
        switch assignment.role {
        case .instance(let instance):
            let role = try await ChildInstance.start(
                instance, scenario: scenario, security: assignment.security, run: assignment.run)
            return (role, role.port)
        case .worker(let worker):
            return (try await ChildWorker.start(worker, scenario: scenario, run: assignment.run), 0)
        case .clients(let fleet):
            return (
                try await ChildClients.start(
                    fleet, scenario: scenario, security: assignment.security, run: assignment.run), 0
            )
        }
    }
}

extension ChildFailure {
    init(_ error: any Error) {
        let error = ScenarioRun.environmentError(error)
        if let error = error as? HarnessError {
            self.init(code: error.code.rawValue, message: error.description)
        } else {
            self.init(code: HarnessError.Code.internalFault.rawValue, message: "\(error)")
        }
    }

    /// The same as an error of the run.
    var error: HarnessError { HarnessError(.init(rawValue: code) ?? .internalFault, message) }
}
