internal import Foundation
internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMVerify

extension ProcessFleet {
    func finish() async throws -> [LoopRecord] {
        // A process that has ended on its own has left what it wrote until then.
        for part in parts where part.process.end == nil {
            _ = try await part.process.ask(.finishFleet, deadline: .seconds(60))
        }
        return try await DedicatedThread.perform(name: "fleet-reader") { try self.tellRecords() }
    }

    /// Tells the run's observers, part by part; blocks.
    ///
    /// The instances' journals are told in step, a little ahead, so that the stage from the frame's writing to its receipt
    /// finds the writing.
    private func tellRecords() throws -> [LoopRecord] {
        var records: [LoopRecord] = []
        for part in parts {
            var loops: [UInt32: ClientsReplay] = [:]
            let base = records.count
            do throws(TraceError) {
                let dropped = try TraceFile.read("/proc/self/fd/\(part.trace.fileDescriptor)") {
                    (chunk) throws(TraceError) in
                    guard chunk.role == .clients else { return }
                    let loop =
                        loops[chunk.index]
                        ?? ClientsReplay(
                            loop: chunk.index, observer: observers.make(base + Int(chunk.index)),
                            timeline: timeline.withLock { $0 })
                    loops[chunk.index] = loop
                    try tell(chunk, to: loop)
                }
                guard dropped == 0 else { throw incomplete(part, "\(dropped) events had no room") }
            } catch {
                guard part.process.end != nil, error.code == .cut else {
                    throw HarnessError(.internalFault, "what \(part.process.name) received cannot be read: \(error)")
                }
            }
            for loop in loops.values.sorted(by: { $0.loop < $1.loop }) {
                loop.observer.trace?.close()
                records.append(loop.observer.snapshot())
            }
        }
        return records
    }

    private func tell(_ chunk: TraceChunk, to loop: ClientsReplay) throws(TraceError) {
        observers.waitForRoom()
        let received = MonotonicInstant(nanoseconds: chunk.base)
        do {
            try observers.tellInstances(received)
        } catch {
            throw chunk.impossible("\(error)")
        }
        try chunk.forEachEvent { (event) throws(TraceError) in
            if let fault = loop.take(event) { throw chunk.impossible(fault) }
        }
    }

    private func incomplete(_ part: Part, _ why: String) -> TraceError {
        TraceError(.unreadable, offset: 0, chunk: 0, "what \(part.process.name) received is incomplete: \(why)")
    }
}
