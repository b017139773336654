import Testing
import WSMCore

@Suite("The orchestrator's events (websocket/__init__.py)")
struct OrchestratorEventTests {
    let id = OrchestratorUUID(high: 0x0123_4567_89ab_4def, low: 0x8123_4567_89ab_cdef)

    @Test("Each event is the reference's compact JSON, byte for byte")
    func json() {
        func event(_ value: String) -> String { #"{"name":"invalidateCache","value":\#(value)}"# }
        let uuid = "01234567-89ab-4def-8123-456789abcdef"
        #expect(OrchestratorEvent.processList.json == event(#"{"type":"processes","id":"LIST"}"#))
        #expect(OrchestratorEvent.process(id).json == event(#"{"type":"processes","id":"\#(uuid)"}"#))
        #expect(OrchestratorEvent.subscriptionList.json == event(#"{"type":"subscriptions","id":"LIST"}"#))
        #expect(OrchestratorEvent.subscription(id).json == event(#"{"type":"subscriptions","id":"\#(uuid)"}"#))
        #expect(OrchestratorEvent.processStatusCounts.json == event(#"{"type":"processStatusCounts"}"#))
        #expect(OrchestratorEvent.engineStatus.json == event(#"{"type":"engineStatus"}"#))
    }

    @Test("A process update sends the list, then the process; a terminal one also its subscriptions")
    func processUpdate() {
        let other = OrchestratorUUID(high: 1, low: 2)
        #expect(
            OrchestratorEvent.processUpdate(id, terminal: false, subscriptions: [other]) == [
                .processList, .process(id),
            ])
        #expect(
            OrchestratorEvent.processUpdate(id, terminal: true, subscriptions: [other])
                == [.processList, .process(id), .subscription(other)])
    }
}
