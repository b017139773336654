/// What every connection says first: who it is, which database, and whether Redis answers at all.
///
/// Sans-IO. A last `PING` shows a missing password, a full or loading server, or something that is not Redis, before
/// anyone relies on the connection.
struct RedisHandshake {
    private enum Step {
        case login, select, name, ping, role
    }

    private let url: RedisURL
    private var awaited: ArraySlice<Step>
    /// The commands to send, in order and at once.
    let commands: [RedisCommand]

    init(url: RedisURL, clientName: String?, ping: Bool = true, requiresMaster: Bool = false) {
        self.url = url
        var steps: [Step] = []
        var commands: [RedisCommand] = []
        if url.username != nil || url.password != nil {
            steps.append(.login)
            commands.append(RedisCommand(["AUTH"] + (url.username.map { [$0] } ?? []) + [url.password ?? ""]))
        }
        if url.database != 0 {
            steps.append(.select)
            commands.append(RedisCommand("SELECT", String(url.database)))
        }
        if let clientName {
            steps.append(.name)
            commands.append(RedisCommand("CLIENT", "SETNAME", clientName))
        }
        if ping {
            steps.append(.ping)
            commands.append(RedisCommand("PING"))
        }
        if requiresMaster {
            steps.append(.role)
            commands.append(RedisCommand("ROLE"))
        }
        awaited = steps[...]
        self.commands = commands
    }

    var isDone: Bool { awaited.isEmpty }

    /// Takes the next reply; throws when Redis refused a step that matters.
    mutating func receive(_ reply: RedisReply) throws(RedisError) {
        guard let step = awaited.popFirst() else { return }
        if step == .role { try checkRole(reply) }
        guard case .error(let message) = reply else { return }
        let cause = RedisError.byServer(message)
        switch step {
        case .name: return
        case .login:
            throw RedisError(
                .authenticationFailed,
                "Redis at \(url) refused the login: \(message). Check the URL's user and password (%-encoded)",
                cause: cause)
        case .select:
            if cause.code == .authenticationFailed { throw wantsLogin(message, cause) }
            throw RedisError(
                .serverError, "Redis at \(url) refused database \(url.database): \(message)", cause: cause)
        case .ping, .role:
            if cause.code == .authenticationFailed { throw wantsLogin(message, cause) }
            // A user that may not PING may still be allowed what it is for.
            if message.hasPrefix("NOPERM") { return }
            throw RedisError(.serverError, "Redis at \(url) is not ready: \(message)", cause: cause)
        }
    }

    /// The first word of the reply to `ROLE` is the role.
    private func checkRole(_ reply: RedisReply) throws(RedisError) {
        if case .error = reply { return }
        if case .array(let parts) = reply, parts.first?.text == "master" { return }
        throw RedisError(.notMaster, "Redis at \(url) is not a master now")
    }

    private func wantsLogin(_ message: String, _ cause: RedisError) -> RedisError {
        RedisError(
            .authenticationFailed,
            "Redis at \(url) wants a password: put it into the URL, redis://:PASSWORD@host (\(message))", cause: cause)
    }
}
