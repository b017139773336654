/// Decides after each round whether a gate knows enough: a sequential test with a bounded number of rounds.
///
/// No clock and no I/O, so that tables and simulated noise can test it. The levels are spent so that identical builds are called
/// a regression at most once in 100 gates:
///
/// - A *suspicion* needs a figure that is worse by more than its tolerance (relevant) and not by chance (significant), at the
///   level ``suspicionLevel`` shared out evenly (Bonferroni) over the figures and over the looks at them, one after each round.
/// - A *regression* needs the same again in fresh rounds alone, which did not raise the suspicion, at ``confirmationLevel``
///   shared out over the suspects and the looks at them. The two are independent, so their levels multiply.
/// - The old build against itself must not differ: then the machine, not the build, makes differences.
/// - *Pass* needs that for every figure a difference beyond its tolerance is ruled out: see ``GateTable``.
package struct GateSequence {
    package struct Plan: Hashable, Sendable {
        /// Rounds before the first look; at least two.
        package var first: Int
        /// Rounds at most, fresh ones not counted.
        package var limit: Int
        /// Fresh rounds before the first look at a suspicion, and at most.
        package var fresh: Int
        package var freshLimit: Int

        /// - Parameter rounds: How many to begin with; up to three times as many more follow while nothing is decided.
        package init(rounds: Int) {
            first = max(2, rounds)
            limit = first * 4
            fresh = max(2, (first + 1) / 2)
            freshLimit = fresh * 3
        }
    }

    /// What to do next.
    package enum Step: Hashable, Sendable {
        /// Another round.
        case measure(isFresh: Bool)
        case decided(GateResult.Verdict, reasons: [String])
    }

    package static let suspicionLevel = 0.1
    package static let confirmationLevel = 0.1
    /// The level at which the old build differs from itself, shared out over the figures.
    package static let controlLevel = 0.05

    package let plan: Plan
    package let figures: [GateFigure]
    package private(set) var rounds: [GateRound] = []
    package private(set) var freshRounds: [GateRound] = []
    private var suspects: Suspects?
    /// Fresh rounds did not show again what was suspected: no second suspicion is raised in one gate.
    package private(set) var dismissed: [String] = []
    /// The figures that made the gate red.
    package private(set) var convicted: [String] = []

    private struct Suspects {
        var figures: [GateFigure]
        var findings: [GateCounts.Finding]
        var names: [String] { figures.map(\.path) + findings.map(\.subject) }
    }

    package init(figures: [GateFigure], plan: Plan) {
        self.figures = figures
        self.plan = plan
    }

    package var all: [GateRound] { rounds + freshRounds }

    /// What fresh rounds are to confirm.
    package var suspected: [String] { suspects?.names ?? [] }

    /// Takes a round in and says what follows; the first call is with `nil`.
    package mutating func next(after round: GateRound?) -> Step {
        if let round { if suspects == nil { rounds.append(round) } else { freshRounds.append(round) } }
        let counts = GateCounts(all)
        if !counts.certain.isEmpty { return .decided(.regression, reasons: Self.sentences(counts.certain)) }
        guard rounds.count >= plan.first else { return .measure(isFresh: false) }
        if let obstacle = counts.obstacles.first {
            return .decided(.inconclusive, reasons: [obstacle] + counts.obstacles.dropFirst())
        }
        let table = GateTable(figures, rounds: all)
        if let missing = table.missing { return .decided(.inconclusive, reasons: [missing]) }
        return suspects.map { confirm($0, table) } ?? look(table, counts)
    }

    // MARK: Looking

    private mutating func look(_ table: GateTable, _ counts: GateCounts) -> Step {
        let looks = Double(plan.limit - plan.first + 1)
        let level = Self.suspicionLevel / (Double(max(1, table.judged.count)) * looks)
        let worse = table.judged.filter { table.isWorse($0, alpha: level) }
        let fired = table.firing(level: Self.controlLevel)
        if fired.isEmpty, dismissed.isEmpty, !(worse.isEmpty && counts.suspicious.isEmpty) {
            suspects = Suspects(figures: worse, findings: counts.suspicious)
            return .measure(isFresh: true)
        }
        let open = table.judged.filter { !table.isWithin($0) }
        if fired.isEmpty, open.isEmpty, counts.suspicious.isEmpty { return .decided(.pass, reasons: [table.summary]) }
        // A mishap that came once and not again stays one that the old build never had: more rounds do not take it back.
        let isStuck = !dismissed.isEmpty && !counts.suspicious.isEmpty
        if rounds.count < plan.limit, !isStuck { return .measure(isFresh: false) }
        return .decided(.inconclusive, reasons: why(fired: fired, open: open, counts, table))
    }

    private func why(
        fired: [GateFigure], open: [GateFigure], _ counts: GateCounts, _ table: GateTable
    ) -> [String] {
        if !fired.isEmpty { return Self.firing(fired) }
        let doubts = Self.sentences(counts.suspicious).map { "\($0); fresh rounds did not show it again" }
        return doubts + open.map { table.doubt($0) }
    }

    private static func firing(_ figures: [GateFigure]) -> [String] {
        [
            "the old build differs from itself in \(figures.map(\.path).joined(separator: ", ")): this machine is not quiet "
                + "enough to tell builds apart; stop what else runs on it and try again"
        ]
    }

    // MARK: Confirming

    private mutating func confirm(_ suspects: Suspects, _ table: GateTable) -> Step {
        guard freshRounds.count >= plan.fresh else { return .measure(isFresh: true) }
        let fresh = GateTable(suspects.figures, rounds: freshRounds)
        let seen = Set(GateCounts(freshRounds).suspicious.map(\.subject))
        let findings = suspects.findings.filter { seen.contains($0.subject) }
        let looks = Double(plan.freshLimit - plan.fresh + 1)
        let level = Self.confirmationLevel / (Double(max(1, suspects.figures.count)) * looks)
        let worse = suspects.figures.filter { fresh.isWorse($0, alpha: level) }
        let fired = table.firing(level: Self.controlLevel)
        if fired.isEmpty, !(worse.isEmpty && findings.isEmpty) {
            convicted = worse.map(\.path)
            return .decided(.regression, reasons: Self.sentences(findings) + worse.map { table.charge($0) })
        }
        // Two fresh rounds that fall short by chance must not let a real difference go: they go on until they rule it out.
        let isOpen = !fired.isEmpty || suspects.figures.contains { !fresh.isWithin($0) }
        if isOpen, freshRounds.count < plan.freshLimit { return .measure(isFresh: true) }
        if !fired.isEmpty { return .decided(.inconclusive, reasons: Self.firing(fired)) }
        return dismiss(suspects)
    }

    /// The suspicion was chance, or too small a difference to be sure of: what was measured counts, and the search goes on.
    private mutating func dismiss(_ suspects: Suspects) -> Step {
        dismissed = suspects.names
        rounds += freshRounds
        freshRounds = []
        self.suspects = nil
        let table = GateTable(figures, rounds: rounds)
        return look(table, GateCounts(rounds))
    }

    private static func sentences(_ findings: [GateCounts.Finding]) -> [String] {
        findings.map { "the new build \($0.text)" }
    }
}
