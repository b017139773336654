import WSMCore
import WSMRecord
import WSMVerify

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the parts cost, printed with units.
///
/// Nothing here passes or fails: machines differ, and ratios within one run are what counts. CPU time is that of the whole
/// process, the trace's writer thread too (getrusage(2)).
/// - `simulate PROGRAM SCENARIO …`: what the program's simulation of the scenario costs, and nothing else; more arguments are
///   the program's.
/// - `parts`, `fanout`, `queue`, `receipts`: what to measure; all without one.
/// - Numbers: receipts a measurement, in millions (20); then receipts of the memory test, in millions (100).
if CommandLine.arguments.dropFirst().first == "simulate", CommandLine.arguments.count > 3 {
    let words = CommandLine.arguments.dropFirst(2)
    do {
        try SimulationBench(program: words[2], scenario: words[3]).run(Array(words.dropFirst(2)))
    } catch {
        fatalError("the benchmark has no figures: \(error)")
    }
    exit(0)
}

let arguments = CommandLine.arguments.dropFirst()
let numbers = arguments.compactMap { Int($0) }
let sections = arguments.filter { Int($0) == nil }
func isWanted(_ section: String) -> Bool { sections.isEmpty || sections.contains(section) }

if isWanted("parts") {
    PartBench(events: 2_000_000).run()
    print("")
}
if isWanted("fanout") {
    try await FanOutBench().run()
    print("")
}
if isWanted("queue") {
    try await QueueBench().run()
    print("")
}
if isWanted("receipts") {
    ReceiptBench.report(millions: numbers.first ?? 20, memoryMillions: numbers.dropFirst().first ?? 100)
}
