import Testing

@testable import WSMHarness

@Suite("What a comparison varies")
struct VariationTests {
    @Test(
        "Commas part values, but not inside brackets, braces and quotes",
        arguments: [
            ("cluster.manager=memory,broadcast", ["memory", "broadcast"]),
            (
                "cluster.redis={mode: embedded, tls: true},{mode: cluster}",
                ["{mode: embedded, tls: true}", "{mode: cluster}"]
            ),
            ("name='a,b', c", ["'a,b'", "c"]), ("clients.count=1,2,4", ["1", "2", "4"]),
            ("workload[0].stepDuration=uniform(10ms, 30ms),20ms", ["uniform(10ms, 30ms)", "20ms"]),
        ])
    func values(text: String, values: [String]) throws {
        #expect(try Variation(parsing: text).values == values)
    }

    @Test(
        "What varies nothing is refused with what to write instead",
        arguments: [
            ("cluster.manager", "KEY=A,B"), ("=a,b", "KEY=A,B"), ("a=b", "two values"), ("a=b,b", "twice"),
            ("a=b,,c", "empty"),
            ("a=", "two values"),
        ])
    func refused(text: String, word: String) {
        let fault = #expect(throws: Variation.Fault.self) { try Variation(parsing: text) }
        #expect(fault?.description.contains(word) == true, "\(String(describing: fault))")
    }

    @Test("Several make every combination, the last varying fastest, with names that tell them apart")
    func combinations() throws {
        let manager = try Variation(parsing: "cluster.manager=memory,broadcast")
        let count = try Variation(parsing: "cluster.instances=1,2")
        #expect(Variation.combinations([manager]).map(\.name) == ["memory", "broadcast"])
        let all = Variation.combinations([manager, count])
        #expect(
            all.map(\.name) == [
                "manager=memory instances=1", "manager=memory instances=2", "manager=broadcast instances=1",
                "manager=broadcast instances=2",
            ])
        #expect(all[3].set.map(\.key) == ["cluster.manager", "cluster.instances"])
        #expect(all[3].set.map(\.value) == ["broadcast", "2"])
        #expect(Variation.combinations([count]).map(\.name) == ["instances=1", "instances=2"])
    }
}
