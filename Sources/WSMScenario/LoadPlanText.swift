import WSMCore

extension LoadPlan {
    /// The plan as text: a line an item, tab between its fields, times in nanoseconds.
    ///
    /// For `--dry-run`.
    package func describe() -> String {
        var text = ""
        write { text += $0 }
        return text
    }

    /// Writes the text of ``describe()`` piece by piece; a large plan is then never held as text.
    package func write(_ output: (String) -> Void) {
        output("# a line an item; times in nanoseconds, from the start of the load (connects: of the connect phase)\n")
        output("# client\tindex\tinstance\tconnect at\tread rate\n")
        for client in clients {
            let rate = client.readRate.map { "\($0)" } ?? "-"
            let token = client.credential == .valid ? "" : "\t\(client.credential.rawValue)"
            output("client\t\(client.index)\t\(client.instance)\t\(client.connectAt.nanoseconds)\t\(rate)\(token)\n")
        }
        output("# churn\tat\tclient\n")
        for churn in churn { output("churn\t\(churn.at.nanoseconds)\t\(churn.client)\n") }
        output("# broadcaster\tindex\tworkload\tinstance\tchannel\tbytes\tsends\n")
        output("# send\tbroadcaster\tnumber\tat\n")
        for broadcaster in broadcasters { write(broadcaster, output) }
        output("# process\tindex\tworkload\tat\tinstance\tid\tworkflow\tending\tsteps\tsubscriptions\n")
        for process in processes { write(process, output) }
        output("# engine-status\tat\tinstance\tglobal lock\n")
        for update in engineStatus {
            output("engine-status\t\(update.at.nanoseconds)\t\(update.instance)\t\(update.globalLock)\n")
        }
    }

    private func write(_ broadcaster: PlannedBroadcaster, _ output: (String) -> Void) {
        let fields: [String] = [
            "broadcaster", "\(broadcaster.index)", "\(broadcaster.workload)", "\(broadcaster.instance)",
            broadcaster.channel.name, "\(broadcaster.payloadBytes)", "\(broadcaster.sendsAt.count)",
        ]
        output(fields.joined(separator: "\t") + "\n")
        for (number, at) in broadcaster.sendsAt.enumerated() {
            output("send\t\(broadcaster.index)\t\(number)\t\(at.nanoseconds)\n")
        }
    }

    private func write(_ process: PlannedProcess, _ output: (String) -> Void) {
        let fields: [String] = [
            "process", "\(process.index)", "\(process.workload)", "\(process.at.nanoseconds)", "\(process.instance)",
            process.id.description, process.workflowName, process.ending.text,
            process.steps.map { "\($0.nanoseconds)" }.joined(separator: ","),
            process.subscriptions.map(\.description).joined(separator: ","),
        ]
        output(fields.joined(separator: "\t") + "\n")
    }
}

extension ProcessEnding {
    fileprivate var text: String {
        switch self {
        case .completed: "completed"
        case .failed(let step): "failed:\(step)"
        case .suspended(let step, let wait): "suspended:\(step):\(wait.nanoseconds)"
        case .aborted(let step): "aborted:\(step)"
        }
    }
}
