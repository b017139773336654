/// What to try in place of a number or a list that should become smaller: the boldest first.
///
/// Taken again and again until none is accepted, they find the least number in logarithmically many trials where smaller
/// is always as good, and a list none of whose elements can be left out (Zeller and Hildebrandt, "Simplifying and
/// Isolating Failure-Inducing Input", 2002).
enum Halving {
    /// Numbers below `value`: the least one, then ever closer to `value`, in whole steps.
    static func numbers(below value: Int64, from least: Int64, step: Int64 = 1) -> [Int64] {
        guard value > least else { return [] }
        var tried: [Int64] = []
        var cut = value - least
        while cut > 0 {
            let next = value - cut
            if tried.last != next { tried.append(next) }
            guard cut > step else { break }
            // Down to a whole step, so that the last cut is just one.
            cut = max(step, cut / 2 / step * step)
        }
        return tried
    }

    /// The list without parts of it: all, its halves, its quarters, each element.
    static func sublists<Element>(of list: [Element]) -> [[Element]] {
        var tried: [[Element]] = []
        var length = list.count
        while length > 0 {
            // From the back: what comes first is more often the cause of the rest.
            for start in stride(from: 0, to: list.count, by: length).reversed() {
                tried.append(Array(list[..<start] + list[min(list.count, start + length)...]))
            }
            length /= 2
        }
        return tried
    }
}
