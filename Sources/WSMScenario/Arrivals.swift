import WSMCore

/// The instants of a load within a span.
enum Arrivals {
    /// A Poisson process: the gaps are independent and exponentially distributed with the mean 1 / `rate`.
    static func poisson(rate: Double, until end: TimeSpan, random: CounterRNG) -> [TimeSpan] {
        var random = random
        let gap = Distribution.exponential(mean: .seconds(1))
        var instants: [TimeSpan] = []
        // Gaps are drawn in seconds of a unit rate and summed before they are scaled, so that rounding does not add up.
        var sum = 0.0
        while true {
            sum += Double(gap.draw(from: &random).nanoseconds)
            let at = sum / rate
            guard at < Double(end.nanoseconds) else { return instants }
            instants.append(TimeSpan(nanoseconds: Int64(at)))
        }
    }

    /// Evenly spaced: the numbers `first`, `first` + `stride`, … of a sequence of `rate` a second that begins at zero.
    static func constant(rate: Double, until end: TimeSpan, first: Int = 0, stride: Int = 1) -> [TimeSpan] {
        var instants: [TimeSpan] = []
        var number = first
        while true {
            let at = Double(number) * 1e9 / rate
            guard at < Double(end.nanoseconds) else { return instants }
            instants.append(TimeSpan(nanoseconds: Int64(at)))
            number += stride
        }
    }
}

/// Spreads a client or an event over a number of places.
enum Spread {
    /// The place of the `index`-th of many, each place getting its part of the sum of `weights`.
    ///
    /// Multiples of the golden ratio fill the unit interval evenly at every length of the sequence (Knuth, "The Art of
    /// Computer Programming", vol. 3, section 6.4), so that the parts are right after a few, and no state is needed.
    static func weighted(_ index: Int, cumulative: [Int]) -> Int {
        guard let sum = cumulative.last, sum > 0 else { return 0 }
        let point = UInt64(truncatingIfNeeded: index) &* 0x9e37_79b9_7f4a_7c15
        let place = Int(point.multipliedFullWidth(by: UInt64(sum)).high)
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > place { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Jump consistent hash (Lamping and Veach, 2014): one more place takes its part from all others, and moves nothing
    /// between them.
    static func consistent(_ key: UInt64, places: Int) -> Int {
        var key = key
        var place = 0
        var next = 0
        while next < places {
            place = next
            key = key &* 2_862_933_555_777_941_757 &+ 1
            let jump = Double(place + 1) * (Double(1 << 31) / Double((key >> 33) + 1))
            next = jump < Double(places) ? Int(jump) : places
        }
        return place
    }
}
