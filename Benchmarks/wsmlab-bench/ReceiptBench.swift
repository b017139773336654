import WSMCore
import WSMRecord
import WSMVerify

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Messages of a few publishers, each received by every session: in order, stamped and intact, as in a good run.
final class ReceiptBench {
    static let messageBytes = 256
    static let sessions = 1000
    private static let publishers = 4
    /// Messages that a client reads at once.
    private static let batch = 4
    private static let run: UInt32 = 0xbe9c

    private let body: [UInt8]
    private var sink: UInt64 = 0

    init() {
        let text = #"{"name":"bench","value":"\#(String(repeating: "v", count: 500))"}"#
        let length = Self.messageBytes - ProbeStamp.encodedLength + 1
        body = Array(text.utf8.prefix(length - 2)) + Array("\"}".utf8)
    }

    /// Measures all and prints it.
    static func report(millions: Int, memoryMillions: Int) {
        let bench = ReceiptBench()
        print("Receipts of messages of \(messageBytes) bytes, \(sessions) sessions on one event loop")
        print("")
        let stamps = bench.readStamps(millions: millions)
        let ledger = bench.observe(millions: millions, traced: false, keeping: .ledger)
        let plain = bench.observe(millions: millions, traced: false)
        let faulted = bench.observe(millions: millions, traced: false, keeping: .fault)
        let traced = bench.observe(millions: millions, traced: true)
        Table.line("reading and checking the stamp", stamps)
        Table.line("observer: stamp, ledger, checkers, histograms", plain)
        Table.line("  of which all but the stamp", plain - stamps)
        Table.line("  of which the receipts over time", plain - ledger)
        Table.line("observer while a fault lasts", faulted)
        Table.line("observer with trace, the writer thread's compression included", traced)
        Table.line("  of which recording (the trace)", traced - plain)
        if let outcome = traced.trace {
            let bytes = Double(outcome.bytes) / Double(max(1, outcome.events))
            print(
                "  trace: \(outcome.events) events, \(outcome.dropped) dropped, \(Table.decimal(bytes, 2)) bytes an event"
            )
        }
        print("")
        print("Memory over \(memoryMillions) million receipts with trace")
        bench.memory(millions: memoryMillions)
    }

    /// The cost of reading the stamp alone.
    func readStamps(millions: Int) -> Cost {
        let events = millions * 1_000_000
        let message = message(0, at: 1_000_000_000)
        return Cost.of(events) {
            message.withUnsafeBytes { bytes in
                for _ in 0..<events {
                    if case .stamped(let stamp, _) = ProbeStamp.read(bytes) { sink &+= stamp.sequence }
                }
            }
            return nil
        }
    }

    /// What an observer keeps beside its ledger.
    enum Keeping {
        case ledger
        /// Receipts over time, as in every run.
        case timeline
        /// That, and what each client hears around a fault that it has not recovered from.
        case fault
    }

    /// The cost of receipts through an observer.
    func observe(millions: Int, traced: Bool, keeping: Keeping = .timeline) -> Cost {
        let events = millions * 1_000_000
        let trace = traced ? BenchTrace() : nil
        let observer = open(trace)
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        if keeping != .ledger {
            let plan = Timeline.Plan(from: start, width: .milliseconds(100), groups: keeping == .fault ? 2 : 1)
            observer.startMeasuring(at: start, timeline: plan)
        }
        if keeping == .fault {
            observer.tell(.expected)
            observer.tell(.began(fault: 0, at: start))
        }
        return Cost.of(events) {
            receive(events, from: 0, observer)
            return trace?.finish(observer)
        }
    }

    /// Prints the resident memory as receipts go on.
    func memory(millions: Int) {
        let trace = BenchTrace()
        let observer = open(trace)
        let steps = 10
        let part = max(1, millions / steps) * 1_000_000
        for step in 0..<steps {
            receive(part, from: step * part / Self.sessions, observer)
            let megabytes = Double(Usage.residentBytes()) / 1_048_576
            print("  after \((step + 1) * part / 1_000_000) million: \(Table.decimal(megabytes, 1)) MiB resident")
        }
        let outcome = trace.finish(observer)
        print(
            "  \(outcome.events) events in the trace, \(outcome.dropped) dropped, \(outcome.bytes / 1_048_576) MiB on disk"
        )
    }

    private func open(_ trace: BenchTrace?) -> DeliveryObserver {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        let observer = DeliveryObserver(
            run: Self.run, publisherCount: Self.publishers, channel: 0, measuredFrom: start, trace: trace?.lane)
        for client in 0..<Self.sessions {
            _ = observer.sessionOpened(
                client: UInt32(client), instance: UInt16(client % 2), slowReader: false, attemptedAt: start,
                openedAt: start)
        }
        return observer
    }

    /// Messages from number `first` on, until there have been `events` receipts.
    private func receive(_ events: Int, from first: Int, _ observer: DeliveryObserver) {
        var number = first
        var left = events
        var now = 1_000_000_000 + Int64(first) * Int64(Self.sessions) * 600
        var noise: UInt64 = 0x9e37_79b9
        while left > 0 {
            let messages = (0..<Self.batch).map { message(number + $0, at: now) }
            number += Self.batch
            for session in 0..<Self.sessions {
                // A read every few hundred nanoseconds and up, with a noise that does not compress.
                noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                now += 1200 + Int64(noise >> 54)
                for message in messages {
                    message.withUnsafeBytes {
                        observer.received(session: session, message: $0, at: MonotonicInstant(nanoseconds: now))
                    }
                }
            }
            left -= Self.batch * Self.sessions
        }
    }

    private func message(_ number: Int, at instant: Int64) -> [UInt8] {
        var stamp = ProbeStamp(
            run: Self.run, publisher: PublisherID(UInt32(number % Self.publishers)),
            sequence: UInt64(number / Self.publishers), intended: MonotonicInstant(nanoseconds: instant - 90_000))
        stamp.sent = MonotonicInstant(nanoseconds: instant - 80_000)
        stamp.published = MonotonicInstant(nanoseconds: instant - 70_000)
        return stamp.appended(to: body)
    }
}

/// A trace in a file that is gone at the end.
final class BenchTrace {
    let lane: TraceLane
    private let writer: TraceWriter
    private let path: String

    init() {
        path = "Results/bench-\(getpid()).zst"
        mkdir("Results", 0o755)
        do {
            writer = try TraceWriter(path: path, document: Array("{}".utf8))
        } catch {
            fatalError("the benchmark needs a place for its trace: \(error)")
        }
        lane = writer.clientLane(index: 0)
    }

    /// Waits until all is written.
    func finish(_ observer: DeliveryObserver) -> TraceOutcome {
        lane.close()
        let ended = Monitor<TraceOutcome?>(nil)
        writer.finish(document: nil) { outcome in ended.update { $0 = outcome } }
        let outcome = ended.wait(until: .now() + .seconds(120)) { $0 }
        unlink(path)
        return outcome ?? TraceOutcome()
    }
}
