import Foundation
import Testing
import WSMCore

@testable import WSMHarness

@Suite("The staircase search")
struct StaircaseSearchTests {
    private func settings(
        start: Double = 100, floor: Double = 1, ceiling: Double = 1e6, isWhole: Bool = false, repeats: Int = 1,
        tolerance: Double = 0.05
    ) -> StaircaseSearch.Settings {
        var settings = StaircaseSearch.Settings(start: start, floor: floor, ceiling: ceiling, isWhole: isWhole)
        settings.repeats = repeats
        settings.tolerance = tolerance
        return settings
    }

    /// Drives a search to its end; returns that, and the loads in the order in which they were run.
    private func drive(
        _ settings: StaircaseSearch.Settings, _ answer: (_ load: Double, _ run: Int) -> StepOutcome
    ) -> (end: StaircaseSearch.End?, loads: [Double], search: StaircaseSearch) {
        var search = StaircaseSearch(settings)
        var loads: [Double] = []
        for _ in 0..<10_000 {
            switch search.next() {
            case .done(let end): return (end, loads, search)
            case .measure(let load):
                loads.append(load)
                search.record(answer(load, search.runsOfStep), at: load)
            }
        }
        return (nil, loads, search)
    }

    @Test("The load doubles until it is missed, then the gap is halved until it is within the tolerance")
    func steps() {
        let (end, loads, search) = drive(settings()) { load, _ in load <= 700 ? .carried : .missed }
        #expect(Array(loads.prefix(4)) == [100, 200, 400, 800])
        guard case .found(let carried, let missed)? = end else {
            Issue.record("\(String(describing: end))")
            return
        }
        #expect(carried <= 700 && missed > 700 && missed <= carried * 1.05)
        #expect(search.carried == carried && search.missed == missed)
        #expect(loads.count <= 10)
    }

    @Test(
        "Any limit is found within the tolerance, below the first load and above it",
        arguments: [1.7, 3, 20, 99, 100, 101, 1234, 56_789, 999_000])
    func anyLimit(limit: Double) {
        for tolerance in [0.01, 0.05, 0.2] {
            let (end, loads, _) = drive(settings(tolerance: tolerance)) { load, _ in load <= limit ? .carried : .missed
            }
            guard case .found(let carried, let missed)? = end else {
                Issue.record("\(limit): \(String(describing: end))")
                continue
            }
            #expect(carried <= limit && missed > limit)
            #expect(missed <= carried * (1 + tolerance))
            #expect(loads.count < 40)
        }
    }

    @Test("Whole loads are searched to one", arguments: [1, 2, 7, 100, 163, 9_999])
    func whole(limit: Double) {
        let (end, loads, _) = drive(settings(isWhole: true, tolerance: 1e-9)) { load, _ in
            load <= limit ? .carried : .missed
        }
        #expect(end == .found(carried: limit, missed: limit + 1))
        #expect(loads.allSatisfy { $0 == $0.rounded() })
    }

    @Test("A missed run is repeated before it counts, and one unlucky run in three turns nothing")
    func majority() {
        let (end, loads, _) = drive(settings(repeats: 3)) { load, run in
            if run == 0, load == 200 || load == 400 { return .missed }
            return load <= 500 ? .carried : .missed
        }
        guard case .found(let carried, let missed)? = end else {
            Issue.record("\(String(describing: end))")
            return
        }
        #expect(carried <= 500 && missed > 500)
        #expect(loads.count(where: { $0 == 200 }) == 3)
        #expect(loads.count(where: { $0 == 100 }) == 2, "two of three decide")
    }

    @Test("One lucky run carries nothing")
    func luck() {
        let (end, _, _) = drive(settings(repeats: 3)) { load, run in
            load <= 150 || (load == 200 && run == 0) ? .carried : .missed
        }
        guard case .found(let carried, _)? = end else {
            Issue.record("\(String(describing: end))")
            return
        }
        #expect(carried <= 150)
    }

    @Test("The highest load that can be tried ends the search where it is carried")
    func ceiling() {
        let (end, loads, _) = drive(settings(ceiling: 350)) { _, _ in .carried }
        #expect(end == .ceiling(350))
        #expect(loads == [100, 200, 350])
    }

    @Test("Where even the lowest load is missed there is nothing")
    func nothing() {
        let (end, loads, _) = drive(settings(floor: 3)) { _, _ in .missed }
        #expect(end == .nothing(missed: 3))
        #expect(loads == [100, 25, 6.25, 3])
    }

    @Test("A load that cannot be judged bounds the search; a limit below it is found all the same")
    func notJudgedAbove() {
        let (end, _, _) = drive(settings()) { load, _ in load <= 500 ? .carried : load <= 600 ? .missed : .notJudged }
        guard case .found(let carried, let missed)? = end else {
            Issue.record("\(String(describing: end))")
            return
        }
        #expect(carried <= 500 && missed > 500 && missed <= 600)
    }

    @Test("Where the loads above the carried one cannot be judged, there is no limit to tell")
    func notJudged() {
        let (end, _, search) = drive(settings()) { load, _ in load <= 500 ? .carried : .notJudged }
        guard case .notJudged(let load)? = end else {
            Issue.record("\(String(describing: end))")
            return
        }
        #expect(load > 500 && load <= 525.1)
        #expect((search.carried ?? 0) > 470)
        #expect(search.missed == nil)
    }

    @Test("Three answers without a majority are none")
    func noMajority() {
        #expect(StaircaseSearch.verdict([.carried, .missed, .notJudged], repeats: 3) == .notJudged)
        #expect(StaircaseSearch.verdict([.carried, .missed], repeats: 3) == nil)
        #expect(StaircaseSearch.verdict([.missed, .missed], repeats: 3) == .missed)
        #expect(StaircaseSearch.verdict([.notJudged, .notJudged], repeats: 3) == .notJudged)
        #expect(StaircaseSearch.verdict([], repeats: 1) == nil)
    }

    @Test("Whatever it is told, it ends, and never asks for a load out of its range", arguments: 0..<200)
    func chaos(seed: Int) {
        var random = CounterRNG(seed: UInt64(seed), stream: .assignment, entity: 0)
        var chosen = settings(
            start: 1 + Double(random.below(1000)), floor: 1, ceiling: 2000, isWhole: random.below(2) == 0, repeats: 3)
        chosen.runLimit = 60
        let (end, loads, search) = drive(chosen) { _, _ in StepOutcome.allCases[random.below(3)] }
        #expect(end != nil)
        #expect(loads.count <= 60)
        #expect(loads.allSatisfy { $0 >= 1 && $0 <= 2000 })
        if let carried = search.carried, let missed = search.missed { #expect(carried < missed) }
    }

    @Test("What is recorded for another load than the one asked for is left out")
    func otherLoad() {
        var search = StaircaseSearch(settings())
        search.record(.carried, at: 7)
        #expect(search.next() == .measure(load: 100))
        #expect(search.runsOfStep == 0)
    }
}
