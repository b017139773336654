import Foundation
import NIOCore
import Testing
import WSMCore
import WSMHarness
import WSMScenario
import WSMVerify

/// Defects that show only after a fault, planted between the instances and their clients.
@Suite("Scores of a fault find who is forgotten", .serialized, .timeLimit(.minutes(3)))
struct FaultDefectTests {
    /// What becomes of some clients once Redis is back.
    enum Forgetting: Sendable, CaseIterable {
        case nobody
        /// Their connection stays, and nothing comes on it any more: a subscription that was not made again.
        case subscription
        /// They are never told of the gap.
        case marker
    }

    static let forgotten: Set<UInt32> = [1, 4, 6]

    private func run(_ forgetting: Forgetting) async throws -> RunResult {
        let text = """
            name: planted
            seed: 9
            warmup: 0s
            duration: 4s
            cluster: {instances: 2, gapMark: event}
            clients: {count: 8, connectRate: 200/s, ping: 0s}
            workload: [{kind: broadcasts, rate: 100/s, arrival: constant, publishers: 2}]
            faults: [{at: 400ms, action: redis.restart, downtime: 200ms}]
            expect: {bounds: {recovery: 1h}}
            """
        let loaded = ScenarioFile.parse(text: text, name: "planted.yaml")
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        return try await RelayedRun.withFrames(scenario) { GapMeddler(forgetting) }
    }

    @Test("With nobody forgotten all is well")
    func nobody() async throws {
        let fault = try #require(try await run(.nobody).faults.first)
        #expect(fault.deafClients == 0 && fault.silentlyMissed.clients == 0)
        #expect(fault.recoveredAfterNanoseconds != nil)
        #expect(fault.markedClients == 8)
    }

    @Test("A resubscription that forgets clients leaves them deaf, and nothing has recovered")
    func subscription() async throws {
        let result = try await run(.subscription)
        let fault = try #require(result.faults.first)
        #expect(fault.deafClients == Self.forgotten.count)
        #expect(fault.silentlyMissed.clients == Self.forgotten.count)
        #expect(fault.fullDeliveryAfterNanoseconds == nil && fault.recoveredAfterNanoseconds == nil)
        #expect(fault.firstDeliveryAfterNanoseconds != nil)
        #expect(fault.droppedClients == 0 && fault.closedClients == 0)
        #expect(result.guarantees.first { $0.id == "no-silent-loss" }?.verdict == .violated)
        #expect(result.exitCode == ExitCode.guaranteeViolated.rawValue)
        #expect(try #require(result.delivery.lostByCause["unexplained"]) > 0)
    }

    @Test("A marker that does not reach a client is foreign to none: the client's own stream has no message of it")
    func marker() async throws {
        let all = try await run(.nobody)
        let some = try await run(.marker)
        #expect(all.delivery.foreign == 8)
        #expect(some.delivery.foreign == 8 - Self.forgotten.count)
    }
}

/// Forgets some clients when the gap event passes.
private final class GapMeddler: Meddler {
    private let forgetting: FaultDefectTests.Forgetting
    private var client: UInt32?
    private var request = ByteBuffer()
    private var isForgotten = false

    init(_ forgetting: FaultDefectTests.Forgetting) {
        self.forgetting = forgetting
    }

    func clientSent(_ bytes: ByteBuffer, on line: Line) {
        if client == nil {
            request.writeImmutableBuffer(bytes)
            let text = String(buffer: request)
            if let start = text.firstRange(of: "client=") {
                client = UInt32(text[start.upperBound...].prefix { $0.isNumber })
            }
        }
        line.sendToServer(bytes)
    }

    func serverSent(_ bytes: ByteBuffer, on line: Line) {
        guard let client, FaultDefectTests.forgotten.contains(client), forgetting != .nobody else {
            return line.sendToClient(bytes)
        }
        guard !isForgotten else { return }
        let mark = Array(#"{"name":"gap""#.utf8)
        guard let range = bytes.readableBytesView.firstRange(of: mark) else { return line.sendToClient(bytes) }
        // The frame's header is two bytes before its text; what stands before it is let through.
        let frame = range.lowerBound - 2
        if let before = bytes.getSlice(at: bytes.readerIndex, length: frame - bytes.readerIndex) {
            line.sendToClient(before)
        }
        if forgetting == .subscription {
            isForgotten = true
        } else {
            let length = Int(bytes.getInteger(at: frame + 1, as: UInt8.self) ?? 0) + 2
            let rest = frame + length
            if let after = bytes.getSlice(at: rest, length: bytes.writerIndex - rest) { line.sendToClient(after) }
        }
    }
}
