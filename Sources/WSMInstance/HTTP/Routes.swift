internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import WSMCore
internal import WSMManagers

/// The HTTP API of an instance, as far as it is not the WebSocket.
///
/// From any event loop.
final class Routes: Sendable {
    private let engine: WorkflowEngine
    private let metrics: @Sendable () -> String
    private let health: @Sendable () -> String
    private let allowsBroadcast: Bool
    private let random: Mutex<CounterRNG>

    /// A process without a body of its own has this many steps of ``stepLength``.
    private static let defaultSteps = 3
    private static let stepLength = TimeSpan.milliseconds(20)

    init(
        engine: WorkflowEngine, allowsBroadcast: Bool, seed: UInt64, health: @escaping @Sendable () -> String,
        metrics: @escaping @Sendable () -> String
    ) {
        self.engine = engine
        self.allowsBroadcast = allowsBroadcast
        self.health = health
        self.metrics = metrics
        random = Mutex(CounterRNG(seed: seed, stream: .processIdentity, entity: 1 << 40))
    }

    /// What a path names.
    private enum Resource: Hashable {
        case health, metrics, processes, engineStatus, socket
        /// A process by its id to get, a workflow by its name to start.
        case process(String)
        case resume(String)
        case abort(String)
        case broadcast(String)

        init?(path: String) {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
            switch (parts.first, parts.count) {
            case ("health", 1): self = .health
            case ("metrics", 1): self = .metrics
            case ("api", 2) where parts[1] == "processes": self = .processes
            case ("api", 3) where parts[1] == "processes" && !parts[2].isEmpty: self = .process(parts[2])
            case ("api", 4) where parts[1] == "processes" && parts[3] == "resume": self = .resume(parts[2])
            case ("api", 4) where parts[1] == "processes" && parts[3] == "abort": self = .abort(parts[2])
            case ("api", 3) where parts[1] == "settings" && parts[2] == "status": self = .engineStatus
            case ("api", 3) where parts[1] == "ws" && parts[2] == "events": self = .socket
            case ("api", 3) where parts[1] == "broadcast": self = .broadcast(parts[2])
            default: return nil
            }
        }
    }

    func answer(_ request: HTTPRequest, on eventLoop: any EventLoop) -> EventLoopFuture<HTTPAnswer> {
        guard let resource = Resource(path: request.path) else {
            return eventLoop.makeSucceededFuture(HTTPAnswer(.notFound, detail: "Not Found"))
        }
        if case .broadcast(let channel) = resource, request.method == .POST {
            return broadcast(request.body, channel: channel, on: eventLoop)
        }
        return eventLoop.makeSucceededFuture(answerNow(request, resource))
    }

    private func answerNow(_ request: HTTPRequest, _ resource: Resource) -> HTTPAnswer {
        do throws(WorkflowEngine.Refusal) {
            switch (request.method, resource) {
            case (.GET, .health): return HTTPAnswer(.ok, json: health())
            case (.GET, .metrics):
                return HTTPAnswer(.ok, text: metrics(), contentType: "text/plain; version=0.0.4; charset=utf-8")
            case (.GET, .processes): return HTTPAnswer(.ok, json: list())
            case (.GET, .process(let id)): return HTTPAnswer(.ok, json: describe(try process(id)))
            case (.POST, .process(let workflow)): return try start(workflow, request.body)
            case (.PUT, .resume(let id)):
                try engine.resume(try process(id).id)
                return HTTPAnswer(.noContent)
            case (.PUT, .abort(let id)):
                try engine.abort(try process(id).id)
                return HTTPAnswer(.noContent)
            case (.GET, .engineStatus): return HTTPAnswer(.ok, json: engineStatus())
            case (.PUT, .engineStatus): return setStatus(request.body)
            case (.GET, .socket):
                return HTTPAnswer(.upgradeRequired, detail: "This is a WebSocket: connect with a WebSocket client")
            default: return HTTPAnswer(.methodNotAllowed, detail: "Method Not Allowed")
            }
        } catch {
            return Self.answer(to: error)
        }
    }

    private static func answer(to refusal: WorkflowEngine.Refusal) -> HTTPAnswer {
        switch refusal {
        case .notFound: HTTPAnswer(.notFound, detail: "Process not found")
        case .locked:
            HTTPAnswer(
                .serviceUnavailable,
                detail: "Engine is locked cannot accept changes on processes at this time")
        case .conflict(let status):
            HTTPAnswer(.conflict, detail: "This is not possible for a \(status.rawValue) workflow")
        case .overloaded: HTTPAnswer(.serviceUnavailable, detail: "The thread pool takes no more work")
        }
    }

    // MARK: Processes

    private func process(_ text: String) throws(WorkflowEngine.Refusal) -> WorkflowProcess {
        guard let id = OrchestratorUUID(text), let process = engine.process(id) else { throw .notFound }
        return process
    }

    private func start(_ workflow: String, _ body: [UInt8]) throws(WorkflowEngine.Refusal) -> HTTPAnswer {
        guard let spec = spec(workflow, body) else {
            return HTTPAnswer(
                .unprocessableEntity,
                detail: "The body must be empty or a JSON list of form pages, each an object; understood are "
                    + "steps (1 to 1000), step_ms (0 to 60000), fail_at, suspend_after and subscriptions (0 to 100)")
        }
        let id = random.withLock { $0.uuid() }
        _ = try engine.start(spec, id: id, measure: nil)
        return HTTPAnswer(.created, json: #"{"id":"\#(id)"}"#)
    }

    /// A workflow as the request's form pages describe it; `nil` when they cannot be understood.
    private func spec(_ workflow: String, _ body: [UInt8]) -> WorkflowSpec? {
        var form: [String: Any] = [:]
        if !body.isEmpty {
            guard let pages = try? JSONSerialization.jsonObject(with: Data(body)) as? [[String: Any]] else {
                return nil
            }
            for page in pages { form.merge(page) { $1 } }
        }
        func number(_ key: String, _ fallback: Int, _ range: ClosedRange<Int>) -> Int? {
            guard let value = form[key] else { return fallback }
            guard let number = value as? Int, range.contains(number) else { return nil }
            return number
        }
        guard let steps = number("steps", Self.defaultSteps, 1...1000),
            let length = number("step_ms", Int(Self.stepLength.nanoseconds / 1_000_000), 0...60_000),
            let failAt = number("fail_at", -1, -1...999), let suspendAfter = number("suspend_after", -1, -1...999),
            let subscriptions = number("subscriptions", 0, 0...100)
        else { return nil }
        var ending = WorkflowSpec.Ending.completed
        if failAt >= 0 { ending = .failed(atStep: failAt) }
        if suspendAfter >= 0 { ending = .suspended(afterStep: suspendAfter) }
        let ids = (0..<subscriptions).map { _ in random.withLock { $0.uuid() } }
        return WorkflowSpec(
            name: workflow, steps: Array(repeating: .milliseconds(Int64(length)), count: steps), ending: ending,
            subscriptions: ids)
    }

    /// The newest 1,000 processes.
    private func list() -> String {
        "[" + engine.newest(1000).map(describe).joined(separator: ",") + "]"
    }

    private func describe(_ process: WorkflowProcess) -> String {
        let subscriptions = process.spec.subscriptions.map { #""\#($0)""# }.joined(separator: ",")
        return #"{"process_id":"\#(process.id)","workflow_name":\#(JSONString.quoted(process.spec.name)),"#
            + #""last_status":"\#(process.status.rawValue)","steps_done":\#(process.stepsDone),"#
            + #""steps":\#(process.spec.steps.count),"subscriptions":[\#(subscriptions)]}"#
    }

    // MARK: Engine

    private func engineStatus() -> String {
        let locked = engine.globalLock
        return #"{"global_lock":\#(locked),"running_processes":\#(engine.load.running),"#
            + #""global_status":"\#(locked ? "PAUSED" : "RUNNING")"}"#
    }

    private func setStatus(_ body: [UInt8]) -> HTTPAnswer {
        guard let json = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let locked = json["global_lock"] as? Bool
        else {
            return HTTPAnswer(.unprocessableEntity, detail: #"The body must be {"global_lock": true or false}"#)
        }
        engine.setGlobalLock(locked)
        return HTTPAnswer(.ok, json: engineStatus())
    }

    // MARK: Broadcast

    private func broadcast(
        _ body: [UInt8], channel: String, on eventLoop: any EventLoop
    ) -> EventLoopFuture<HTTPAnswer> {
        func now(_ answer: HTTPAnswer) -> EventLoopFuture<HTTPAnswer> { eventLoop.makeSucceededFuture(answer) }
        guard allowsBroadcast else {
            return now(HTTPAnswer(.forbidden, detail: "Broadcasting is off: start the server with --allow-broadcast"))
        }
        guard !channel.isEmpty, channel.utf8.count <= 256 else {
            return now(HTTPAnswer(.unprocessableEntity, detail: "A channel's name has 1 to 256 bytes"))
        }
        guard let text = String(validating: body, as: UTF8.self) else {
            return now(HTTPAnswer(.unprocessableEntity, detail: "The body must be UTF-8 text"))
        }
        let promise = eventLoop.makePromise(of: HTTPAnswer.self)
        engine.broadcastDirectly(channel: ChannelName(channel), json: text) { published in
            promise.succeed(
                published
                    ? HTTPAnswer(.accepted, json: #"{"published":true}"#)
                    : HTTPAnswer(.badGateway, detail: "The broadcast failed: is Redis up?"))
        }
        return promise.futureResult
    }
}
