/// The order in which an experiment runs its arms.
package enum RunOrder {
    /// One run: the round, and the arm's index.
    package struct Turn: Hashable, Sendable {
        package var round: Int
        package var arm: Int
    }

    /// Every arm once a round, forwards and backwards in turn: A B B A A B.
    ///
    /// So a machine that slowly gets warmer, or busier, takes from every arm alike.
    package static func turns(arms: Int, rounds: Int) -> [Turn] {
        (0..<rounds).flatMap { round in
            (0..<arms).map { Turn(round: round, arm: round.isMultiple(of: 2) ? $0 : arms - 1 - $0) }
        }
    }
}
