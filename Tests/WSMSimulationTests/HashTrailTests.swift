import Testing
import WSMCore

@testable import WSMSimulation

@Suite("Where two simulations part")
struct HashTrailTests {
    /// A run of `steps` steps that does something else from `changed` on.
    private func trail(steps: Int, changed: Int = .max) -> HashTrail {
        var trail = HashTrail()
        var hash = TraceHash()
        for step in 1...steps {
            hash.mix(UInt64(step), step >= changed ? 1 : 0)
            trail.note(step: step, at: .microseconds(Int64(step)), hash: hash.value)
        }
        return trail
    }

    @Test("It is found between two marks, however long the runs are", arguments: [1000, 200_000, 1_000_000])
    func found(steps: Int) throws {
        let plain = trail(steps: steps)
        #expect(plain.marks.count < HashTrail.capacity)
        #expect(plain.parting(from: trail(steps: steps)) == nil)
        for changed in [1, 64, 65, steps / 2, steps - 2 * plain.interval] {
            let parting = try #require(plain.parting(from: trail(steps: steps, changed: changed)), "\(changed)")
            let before = try #require(parting.before)
            #expect(before.step >= changed && before.step - changed < plain.interval)
            #expect(before.at == .microseconds(Int64(before.step)))
            #expect((parting.after?.step ?? 0) == before.step - plain.interval)
        }
    }

    @Test("A run that ends early parts where it ends, also when its marks are closer")
    func shorter() throws {
        let parting = try #require(trail(steps: 100_000).parting(from: trail(steps: 5000)))
        let after = try #require(parting.after)
        #expect(after.step <= 5000 && after.step > 4500)
        #expect(try #require(parting.before).step > 5000)
    }
}
