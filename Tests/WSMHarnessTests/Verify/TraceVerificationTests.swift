import Foundation
import Testing
import WSMCore
import WSMRecord
import WSMVerify

@testable import WSMHarness

@Suite("A stored trace is checked again", .timeLimit(.minutes(2)))
struct TraceVerificationTests {
    private func bytes(_ world: TracedWorld) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(world.folder)/trace.zst"))
    }

    private func store(_ bytes: Data, _ world: TracedWorld) throws {
        try bytes.write(to: URL(fileURLWithPath: "\(world.folder)/trace.zst"))
    }

    private func failure(_ body: () throws -> Void) -> HarnessError? {
        #expect(throws: HarnessError.self, performing: body)
    }

    @Test(
        "Whatever went wrong in the run, ledger, verdicts, witnesses and latencies are the same",
        arguments: UInt64(1)...20)
    func same(seed: UInt64) async throws {
        let world = try TracedWorld(seed: seed)
        world.play(400)
        let live = try await world.finish()
        let verified = try TraceVerification.verify(StoredRun(world.folder))
        #expect(verified.comparison == .same, "seed \(seed): \(verified.differences)")
        #expect(verified.delivery == live.delivery, "seed \(seed)")
        #expect(verified.guarantees == live.guarantees, "seed \(seed)")
        // The world is not a good one: most checkers must have had something to say.
        #expect(verified.guarantees.filter { $0.verdict == .violated }.count >= 4, "seed \(seed)")
        #expect(verified.exitCode == 3)
    }

    @Test("What the live run says otherwise is listed, and the exit code is 1")
    func different() async throws {
        let world = try TracedWorld(seed: 3)
        world.play(100)
        var live = try await world.finish()
        live.delivery.received -= 1
        live.guarantees[0].violations += 2
        try live.json().write(to: URL(fileURLWithPath: "\(world.folder)/result.json"))
        let verified = try TraceVerification.verify(StoredRun(world.folder))
        #expect(verified.comparison == .different)
        #expect(verified.exitCode == 1)
        #expect(verified.differences.map(\.path) == ["delivery.received", "guarantees.integrity"])
    }

    @Test("Without a result beside it a trace is checked for itself")
    func alone() async throws {
        let world = try TracedWorld(seed: 4)
        world.play(100)
        let live = try await world.finish()
        try FileManager.default.removeItem(atPath: "\(world.folder)/result.json")
        let verified = try TraceVerification.verify(StoredRun("\(world.folder)/trace.zst"))
        #expect(verified.comparison == .none)
        #expect(verified.delivery == live.delivery)
        #expect(verified.exitCode == 3)
    }

    @Test("Cut in half it says so, shows what it could read, and the exit code is 65")
    func cut() async throws {
        let world = try TracedWorld(seed: 5)
        world.play(3000)
        _ = try await world.finish()
        let whole = try TraceVerification.verify(StoredRun(world.folder))
        let all = try bytes(world)
        try store(all.prefix(all.count / 2), world)
        let verified = try TraceVerification.verify(StoredRun(world.folder))
        #expect(verified.damage?.code == .cut)
        #expect(verified.exitCode == 65)
        #expect(verified.delivery == nil)
        #expect(verified.read.receipts <= whole.read.receipts)
        #expect(verified.read.chunks > 0)
        #expect(verified.name == "made-up")
        var damaged = all
        damaged[all.count / 2] ^= 4
        try store(damaged, world)
        let second = try TraceVerification.verify(StoredRun(world.folder))
        #expect(second.damage?.code == .damaged)
        #expect(second.exitCode == 65)
    }

    @Test("Events that were dropped make it inconclusive, and it says why")
    func dropped() async throws {
        let world = try TracedWorld(seed: 6, buffers: 1)
        // One buffer for three lanes: the first lane keeps it until the end.
        world.play(50)
        _ = try await world.finish()
        let verified = try TraceVerification.verify(StoredRun(world.folder))
        #expect(verified.read.dropped > 0)
        #expect(verified.exitCode == ExitCode.inconclusive.rawValue)
        #expect(verified.reason.contains("dropped"))
        #expect(verified.delivery == nil)
    }

    @Test("What is no trace is refused with a sentence")
    func refused() async throws {
        let world = try TracedWorld(seed: 7)
        world.play(20)
        _ = try await world.finish()
        let folder = world.folder
        let good = try bytes(world)
        let cases: [(Data, String)] = [
            (Data(), "empty"), (Data("no trace at all, but long enough".utf8), "not a trace"),
        ]
        for (content, word) in cases {
            try store(content, world)
            let error = failure { _ = try TraceVerification.verify(StoredRun(folder)) }
            #expect(error?.code == .invalidData)
            #expect(error?.message.contains(word) == true)
        }
        try store(good, world)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/result.json"))
        #expect(failure { _ = try TraceVerification.verify(StoredRun(folder)) }?.code == .invalidData)
        try FileManager.default.removeItem(atPath: "\(folder)/trace.zst")
        #expect(failure { _ = try StoredRun(folder) }?.message.contains("no trace.zst") == true)
        try FileManager.default.createDirectory(atPath: "\(folder)/trace.zst", withIntermediateDirectories: true)
        #expect(failure { _ = try StoredRun(folder) }?.message.contains("is a folder") == true)
        #expect(failure { _ = try StoredRun("\(folder)/nowhere") }?.message.contains("there is no run") == true)
    }

    @Test("The result of another run is not compared with")
    func anotherRun() async throws {
        let world = try TracedWorld(seed: 8)
        world.play(20)
        var live = try await world.finish()
        live.startedAt = "2026-01-02T00:00:00Z"
        try live.json().write(to: URL(fileURLWithPath: "\(world.folder)/result.json"))
        let folder = world.folder
        #expect(
            failure { _ = try TraceVerification.verify(StoredRun(folder)) }?.message.contains("another run") == true)
    }

    @Test("A trace that is not all of the run makes it suspect, with what is missing and what to do")
    func suspicion() throws {
        var outcome = TraceOutcome()
        outcome.events = 90
        #expect(outcome.suspicion == nil)
        outcome.dropped = 10
        #expect(outcome.suspicion?.contains("dropped 10 of 100 events") == true)
        #expect(outcome.suspicion?.contains("lower the rate") == true)
        let full = #expect(throws: TraceWriteError.self) {
            _ = try TraceWriter(path: "/dev/full", document: Array("{}".utf8))
        }
        #expect(TraceOutcome(failure: full).suspicion?.contains("make room") == true)
        #expect(TraceOutcome(failure: .timedOut(after: .seconds(30))).suspicion?.contains("within 30 s") == true)
        var unclosed = TraceOutcome()
        unclosed.unclosedLanes = 2
        #expect(unclosed.suspicion?.contains("2 event loops") == true)
    }

    @Test("Every event is exported as one JSON object with its kind and lane")
    func export() async throws {
        let world = try TracedWorld(seed: 9)
        world.play(300)
        _ = try await world.finish()
        let verified = try TraceVerification.verify(StoredRun(world.folder))
        var text = ""
        var export = TraceExport { text += $0 }
        try export.run(StoredRun(world.folder))
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let kind = try #require(object["event"] as? String)
            counts[kind, default: 0] += 1
            if kind != "run", kind != "end" { #expect(object["lane"] is String) }
            if kind == "received" { #expect(object["sequence"] is Int && object["client"] is Int) }
        }
        #expect(counts.removeValue(forKey: "run") == 1)
        #expect(counts.removeValue(forKey: "end") == 1)
        #expect(counts == verified.read.events)
    }
}
