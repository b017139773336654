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
    /// The slots of all weights are walked in steps of about the golden section, which spreads them evenly (Knuth, "The
    /// Art of Computer Programming", vol. 3, section 6.4); the step shares no divisor with their number, so that each
    /// round takes every slot once and the parts come out exact.
    static func weighted(_ index: Int, over slots: Slots) -> Int {
        let slot = index % slots.count * slots.step % slots.count
        var (low, high) = (0, slots.ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if slots.ends[middle] > slot { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The slots of a list of weights, of which one at least is above zero.
    struct Slots {
        /// Where the slots of each place end.
        let ends: [Int]
        let count: Int
        let step: Int

        init(weights: [Int]) {
            let divisor = weights.reduce(0, Slots.commonDivisor)
            var sum = 0
            ends = weights.map { weight in
                sum += weight / max(1, divisor)
                return sum
            }
            let slots = max(1, sum)
            var step = max(1, Int((Double(slots) * 0.6180339887498949).rounded()))
            while Slots.commonDivisor(step, slots) != 1 { step += 1 }
            self.step = step
            count = slots
        }

        private static func commonDivisor(_ left: Int, _ right: Int) -> Int {
            var (left, right) = (left, right)
            while right != 0 { (left, right) = (right, left % right) }
            return left
        }
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
