import Testing
import WSMCore

@testable import WSMHarness

@Suite("What a run's progress is made of")
struct ProgressPartsTests {
    private let up = InstanceState(isUp: true, broadcastThread: nil, backlog: 3)
    private let down = InstanceState(isUp: false, broadcastThread: nil, backlog: 0)
    private let dead = InstanceState(isUp: true, broadcastThread: .dead, backlog: 9)

    @Test("An instance stands as its cluster says, and as what the run is doing to it")
    func board() async throws {
        let board = InstanceBoard()
        #expect(board.instances([up, down, dead]).map(\.state) == [.up, .down, .up])
        #expect(board.instances([up, down, dead]).map(\.isThreadDead) == [false, false, true])
        board.note(.pausing, 0)
        #expect(board.instances([up, up]).map(\.state) == [.paused, .up])
        // One that dies while it stands still is down.
        #expect(board.instances([down]).map(\.state) == [.down])
        board.note(nil, 0)
        await board.during(.stopping, 1) { #expect(board.instances([up, down]).map(\.state) == [.up, .stopping]) }
        await #expect(throws: CancellationError.self) {
            try await board.during(.starting, 1) { throw CancellationError() }
        }
        #expect(board.instances([up, up]).map(\.state) == [.up, .up])
        board.note(.stopped, 0)
        #expect(board.instances([up]).map(\.state) == [.down])
    }

    @Test("Rates are those of the last second, and never negative")
    func rates() {
        var rates = ProgressRates()
        #expect(rates.perSecond.received == 0)
        for tick in 0...20 {
            // 100 a second, and from the second second on 1,000.
            let received = tick <= 10 ? tick * 20 : 200 + (tick - 10) * 200
            rates.note(
                published: tick, received: received,
                at: MonotonicInstant(nanoseconds: 0) + .milliseconds(Int64(tick) * 200))
        }
        #expect(rates.perSecond.received == 1000)
        #expect(rates.perSecond.published == 5)
        rates.note(published: 0, received: 0, at: MonotonicInstant(nanoseconds: 0) + .milliseconds(4200))
        #expect(rates.perSecond.published == 0)
    }
}
