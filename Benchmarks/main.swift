import WSMCore
import WSMRecord
import WSMVerify

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What recording and checking cost, printed with units.
///
/// Nothing here passes or fails: machines differ, and ratios within one run are what counts. CPU time is that of the whole
/// process, the trace's writer thread too (getrusage(2)).
/// - `simulate PROGRAM SCENARIO …`: what the program's simulation of the scenario costs, and nothing else; more arguments are
///   the program's.
/// - Else the first argument: receipts a measurement, in millions (20); the second: receipts of the memory test, in millions (100).
if CommandLine.arguments.dropFirst().first == "simulate", CommandLine.arguments.count > 3 {
    let words = CommandLine.arguments.dropFirst(2)
    do {
        try SimulationBench(program: words[2], scenario: words[3]).run(Array(words.dropFirst(2)))
    } catch {
        fatalError("the benchmark has no figures: \(error)")
    }
    exit(0)
}
let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let millions = arguments.first ?? 20
let memoryMillions = arguments.dropFirst().first ?? 100
let bench = ReceiptBench()

print("Receipts of messages of \(ReceiptBench.messageBytes) bytes, \(ReceiptBench.sessions) sessions on one event loop")
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
    print("  trace: \(outcome.events) events, \(outcome.dropped) dropped, \(Table.decimal(bytes, 2)) bytes an event")
}
print("")
print("Memory over \(memoryMillions) million receipts with trace")
bench.memory(millions: memoryMillions)
