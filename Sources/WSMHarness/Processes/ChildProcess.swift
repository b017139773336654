internal import Foundation
internal import NIOCore
internal import Subprocess
internal import Synchronization
internal import SystemPackage
internal import WSMCore

/// A process that the run has started: it is asked over a socket, watched, and its last words are kept.
///
/// Safe from any thread. It ends when it is told to, or when the run's end of the socket is closed, however that happens.
final class ChildProcess: Sendable {
    /// How a process ended.
    struct End: Hashable, Sendable {
        var how: String
        var at: MonotonicInstant
        /// The last that it wrote to its standard error.
        var lastWords: String
    }

    private struct State {
        var pid: Int32 = 0
        var nextID: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<ChildReply, any Error>] = [:]
        var channel: MessageChannel?
        var isClosed = false
        var end: End?
        var lastWords: [UInt8] = []
    }

    private static let lastWordsLimit = 4096

    /// What it is called in messages: `instance 1`.
    let name: String
    private let state = Mutex(State())

    private init(name: String) { self.name = name }

    var pid: Int32 { state.withLock { $0.pid } }
    /// How it ended; `nil` while it runs.
    var end: End? { state.withLock { $0.end } }

    // MARK: Start

    /// Starts `program` as a child of the run; it is ready for its first request.
    ///
    /// - Throws: ``HarnessError`` when it cannot be started.
    static func start(_ program: String, name: String, on group: any EventLoopGroup) async throws -> ChildProcess {
        let (ours, theirs) = try SocketPair.make()
        let child = ChildProcess(name: name)
        let channel: MessageChannel
        do {
            channel = try await MessageChannel.open(
                descriptor: ours, on: group, received: { child.received($0) }, closed: { child.closed() })
        } catch {
            close(theirs)
            throw HarnessError(.internalFault, "cannot talk to \(name)", cause: error)
        }
        child.state.withLock { $0.channel = channel }
        do {
            try await child.spawn(program, socket: theirs)
        } catch {
            channel.close()
            throw HarnessError(.childFailed, "cannot start a process for \(name) from \(program)", cause: error)
        }
        return child
    }

    private typealias Starting = CheckedContinuation<Void, any Error>

    /// Starts the program and returns when it runs; a task of its own watches it from then on.
    private func spawn(_ program: String, socket: CInt) async throws {
        try await withCheckedThrowingContinuation { (starting: Starting) in
            let pending = Monitor<Starting?>(starting)
            Task { await self.watch(program, socket: socket, pending) }
        }
    }

    private func watch(_ program: String, socket: CInt, _ pending: Monitor<Starting?>) async {
        var options = PlatformOptions()
        // Ctrl-C in a terminal goes to the run alone, which then ends its processes in order.
        options.createSession = true
        do {
            let result = try await run(
                .path(FilePath(program)), arguments: ["child"], platformOptions: options,
                input: .fileDescriptor(FileDescriptor(rawValue: socket), closeAfterSpawningProcess: true),
                output: .discarded, error: .sequence
            ) { execution in
                state.withLock { $0.pid = execution.processIdentifier.value }
                pending.withLock { $0.take() }?.resume()
                for try await words in execution.standardError { keep(words) }
            }
            ended(result.terminationStatus)
        } catch {
            pending.withLock { $0.take() }?.resume(throwing: error)
            ended("it could not be watched: \(error)")
        }
    }

    // MARK: Use

    /// Asks the process and waits for its answer.
    ///
    /// - Throws: ``ChildFailure`` of the process, or ``HarnessError`` when it ended or did not answer in time.
    func ask(_ request: ChildRequest, deadline: TimeSpan = .seconds(10)) async throws -> ChildReply {
        try await withCheckedThrowingContinuation { continuation in
            let sending = state.withLock { state -> (id: UInt64, channel: MessageChannel)? in
                guard !state.isClosed, let channel = state.channel else { return nil }
                state.nextID += 1
                state.waiting[state.nextID] = continuation
                return (state.nextID, channel)
            }
            guard let (id, channel) = sending else { return fail([continuation]) }
            do {
                channel.send(try ChildCoding.bytes(ChildCall(id: id, request: request)))
            } catch {
                settle(id, .failure(error))
            }
            _ = channel.eventLoop.scheduleTask(in: .nanoseconds(deadline.nanoseconds)) { [weak self] in
                guard let self else { return }
                let text = "\(self.name) did not answer within \(deadline.seconds) s"
                self.settle(id, .failure(HarnessError(.childFailed, text)))
            }
        }
    }

    /// Sends it a signal; nothing happens when it has ended.
    func signal(_ number: CInt) {
        state.withLock { state in
            // Under the lock: a number that has been given to another process must not get it.
            if state.end == nil, state.pid > 0 { kill(state.pid, number) }
        }
    }

    /// Closes the run's end of the socket, upon which the process ends, and waits until it has; at the deadline it is killed.
    func finish(deadline: MonotonicInstant) async {
        state.withLock { $0.channel }?.close()
        await awaitEnd(deadline: deadline)
        guard end == nil else { return }
        signal(SIGKILL)
        await awaitEnd(deadline: .now() + .seconds(2))
    }

    /// Returns when the process has ended, or at the deadline.
    func awaitEnd(deadline: MonotonicInstant) async {
        while end == nil, MonotonicInstant.now() < deadline {
            do { try await Task.sleep(nanoseconds: 1_000_000) } catch { await Task.yield() }
        }
    }

    // MARK: What comes from it

    private func received(_ bytes: ByteBuffer) {
        guard let answer = try? ChildCoding.read(ChildAnswer.self, bytes) else {
            return settle(0, .failure(HarnessError(.childFailed, "\(name) answered what cannot be read")))
        }
        if let reply = answer.reply { return settle(answer.id, .success(reply)) }
        let failure = answer.failure ?? ChildFailure(code: "", message: "no reason given")
        settle(answer.id, .failure(failure))
    }

    private func settle(_ id: UInt64, _ result: Result<ChildReply, any Error>) {
        state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(with: result)
    }

    private func closed() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        fail(Array(waiting.values))
    }

    private func fail(_ waiting: [CheckedContinuation<ChildReply, any Error>]) {
        guard !waiting.isEmpty else { return }
        Task {
            // Its socket closes a moment before it is known how it ended and what it said.
            await self.awaitEnd(deadline: .now() + .seconds(1))
            for continuation in waiting { continuation.resume(throwing: self.gone) }
        }
    }

    private func keep(_ words: SubprocessOutputSequence.Buffer) {
        let bytes = words.withUnsafeBytes { Array($0) }
        state.withLock { $0.lastWords = Array(($0.lastWords + bytes).suffix(Self.lastWordsLimit)) }
    }

    private func ended(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): ended("exit code \(code)")
        case .signaled(let number): ended("signal \(number)")
        }
    }

    private func ended(_ how: String) {
        state.withLock { state in
            let words = String(decoding: state.lastWords, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            state.end = End(how: how, at: .now(), lastWords: words)
        }
    }

    private var gone: HarnessError {
        let said = end.map { $0.lastWords.isEmpty ? " (\($0.how))" : " (\($0.how)): \($0.lastWords)" } ?? ""
        return HarnessError(.childFailed, "\(name), process \(pid), has ended\(said)")
    }
}
