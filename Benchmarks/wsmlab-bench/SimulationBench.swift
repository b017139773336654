import Foundation
import WSMCore

/// What one simulated run costs: `wsmlab simulate` as a child process, so that its memory is its own.
struct SimulationBench {
    /// The program, and the scenario that it simulates.
    let program: String
    let scenario: String

    /// What the child printed, as far as it is asked for.
    private struct Result: Decodable {
        struct Clients: Decodable { var connected: Int64 }
        struct Delivery: Decodable {
            var expected: Int64
            var received: Int64
            var lost: Int64
            var indeterminate: Int64
        }
        struct Guarantee: Decodable {
            var id: String
            var verdict: String
        }
        var clients: Clients
        var delivery: Delivery
        var guarantees: [Guarantee]
        var traceHash: String
        var verdict: String
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs it once and prints the figures.
    ///
    /// - Parameter arguments: More arguments of the child, such as `--set clients.count=1000`.
    func run(_ arguments: [String]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wsmlab-bench-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: program)
        child.arguments = ["simulate", scenario, "--format", "json", "--quiet", "--out", folder.path] + arguments
        let output = Pipe()
        child.standardOutput = output
        let began = MonotonicInstant.now()
        try child.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        let wall = (MonotonicInstant.now() - began).seconds
        guard child.terminationReason == .exit, child.terminationStatus <= 4, !text.isEmpty else {
            throw Failure(description: "\(program) simulate ended with \(child.terminationStatus) and without a result")
        }
        report(try JSONDecoder().decode(Result.self, from: text), wall: wall)
    }

    private func report(_ result: Result, wall: Double) {
        // The only child that was waited for; kilobytes on Linux (getrusage(2)).
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        let delivery = result.delivery
        let broken = result.guarantees.filter { $0.verdict == "violated" }.map(\.id)
        let millions = Double(delivery.received) / 1e6
        print("\(scenario): \(result.verdict), trace hash \(result.traceHash)")
        print(
            "  \(result.clients.connected) clients, \(delivery.received) measured deliveries of \(delivery.expected),")
        print("  \(delivery.lost) lost, \(delivery.indeterminate) indeterminate")
        print("  guarantees violated: \(broken.isEmpty ? "none" : broken.joined(separator: ", "))")
        print(
            "  \(Table.decimal(wall, 1)) s wall, \(Table.decimal(cpu, 1)) s CPU, of which "
                + "\(Table.decimal(seconds(usage.ru_stime), 1)) s in the kernel")
        print("  \(usage.ru_maxrss / 1024) MiB resident at most")
        print("  \(Table.decimal(millions / max(cpu, 1e-9), 2)) million deliveries a CPU second, all phases included")
    }

    private func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
