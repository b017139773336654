/// The non-negative weights of columns that come nearest to a vector: min ‖A x − b‖₂ with x ≥ 0.
///
/// The active-set algorithm NNLS of C. L. Lawson and R. J. Hanson, Solving Least Squares Problems (1974), chapter 23. For the
/// few columns of a cost model; tests hold it against `scipy.optimize.nnls`.
package enum NonNegativeLeastSquares {
    /// What counts as nothing, against columns and a vector of length one.
    private static let epsilon = 1e-12

    /// - Parameters:
    ///   - columns: The columns of A, each as long as `vector`.
    ///   - vector: b.
    /// - Returns: One weight a column; a column of zeros gets 0.
    package static func solve(columns: [[Double]], vector: [Double]) -> [Double] {
        let lengths = columns.map { length($0) }
        let size = length(vector)
        guard size > 0 else { return columns.map { _ in 0 } }
        // Columns of one length each, so that bytes beside seconds spoil no comparison.
        let scaled = zip(columns, lengths).map { column, length in column.map { length > 0 ? $0 / length : 0 } }
        let weights = solve(scaled: scaled, vector: vector.map { $0 / size })
        return zip(weights, lengths).map { $1 > 0 ? $0 * size / $1 : 0 }
    }

    private static func solve(scaled columns: [[Double]], vector: [Double]) -> [Double] {
        var weights = [Double](repeating: 0, count: columns.count)
        var free: [Int] = []
        // Each pass lets one more column in; Lawson and Hanson show that it ends, and rounding may not keep it from that.
        for _ in 0..<(3 * columns.count) {
            let rest = residual(columns, weights, vector)
            let pull = columns.indices.filter { !free.contains($0) }.map { (index: $0, by: dot(columns[$0], rest)) }
            guard let most = pull.max(by: { $0.by < $1.by }), most.by > epsilon else { break }
            free.append(most.index)
            while !free.isEmpty {
                let best = leastSquares(free.map { columns[$0] }, vector)
                if best.allSatisfy({ $0 > 0 }) {
                    for index in columns.indices { weights[index] = 0 }
                    for (index, weight) in zip(free, best) { weights[index] = weight }
                    break
                }
                retreat(&weights, &free, towards: best)
            }
        }
        return weights
    }

    /// Goes towards `best` until the first weight would be negative, and holds the weights that are nothing there at zero.
    private static func retreat(_ weights: inout [Double], _ free: inout [Int], towards best: [Double]) {
        var part = 1.0
        for (index, target) in zip(free, best) where target <= 0 {
            part = min(part, weights[index] / max(weights[index] - target, .leastNormalMagnitude))
        }
        for (index, target) in zip(free, best) { weights[index] += part * (target - weights[index]) }
        let held = free.filter { weights[$0] <= epsilon }
        for index in held { weights[index] = 0 }
        // The first that would be negative is at zero but for rounding: at least one goes, so that this ends.
        if held.isEmpty, let least = free.min(by: { weights[$0] < weights[$1] }) {
            weights[least] = 0
            free.removeAll { $0 == least }
        } else {
            free.removeAll { held.contains($0) }
        }
    }

    /// Least squares without a condition, by modified Gram–Schmidt with the right side carried along (Björck 1967).
    private static func leastSquares(_ columns: [[Double]], _ vector: [Double]) -> [Double] {
        var basis = columns
        var rest = vector
        let count = columns.count
        var triangle = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
        var right = [Double](repeating: 0, count: count)
        for index in 0..<count {
            let norm = length(basis[index])
            triangle[index][index] = norm
            // A column that the others make up gets no weight of its own.
            guard norm > 1e-10 else { continue }
            basis[index] = basis[index].map { $0 / norm }
            for later in (index + 1)..<max(count, index + 1) {
                triangle[index][later] = dot(basis[index], basis[later])
                subtract(triangle[index][later], basis[index], from: &basis[later])
            }
            right[index] = dot(basis[index], rest)
            subtract(right[index], basis[index], from: &rest)
        }
        var weights = [Double](repeating: 0, count: count)
        for index in (0..<count).reversed() where triangle[index][index] > 1e-10 {
            let known = ((index + 1)..<max(count, index + 1)).reduce(0) { $0 + triangle[index][$1] * weights[$1] }
            weights[index] = (right[index] - known) / triangle[index][index]
        }
        return weights
    }

    // MARK: Vectors

    static func residual(_ columns: [[Double]], _ weights: [Double], _ vector: [Double]) -> [Double] {
        var rest = vector
        for (column, weight) in zip(columns, weights) where weight != 0 { subtract(weight, column, from: &rest) }
        return rest
    }

    static func subtract(_ factor: Double, _ column: [Double], from vector: inout [Double]) {
        for index in vector.indices { vector[index] -= factor * column[index] }
    }

    static func dot(_ left: [Double], _ right: [Double]) -> Double { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }
    static func length(_ vector: [Double]) -> Double { dot(vector, vector).squareRoot() }
}
