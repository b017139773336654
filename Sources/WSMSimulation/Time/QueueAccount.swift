package import WSMCore

/// What passed through one queue, counted in two ways that must agree: Little's law, L = λ W.
///
/// The area under the queue's length over time and the sum of what each item waited are the same number in every finished run,
/// whatever the arrivals and the service are (J. D. C. Little, "A Proof for the Queuing Formula L = λW", 1961): both count
/// item-nanoseconds. The length is observed at the queue itself, the waits come from the items' own arrivals, so that an item
/// which is lost, doubled or served out of turn unnoticed makes them differ.
package struct QueueAccount {
    private var arrivals: [Int64] = []
    private var head = 0
    private var length = 0
    private var observedAt: Int64 = 0
    /// Item-nanoseconds under the length's curve.
    package private(set) var area: Int64 = 0
    /// Item-nanoseconds that those which have left waited.
    package private(set) var waited: Int64 = 0
    package private(set) var departed = 0
    /// Departures for which nothing had come.
    private var unknown = 0

    package init() {}

    /// An item comes.
    package mutating func arrive(at instant: MonotonicInstant) { arrivals.append(instant.nanoseconds) }

    /// The items that came first leave.
    package mutating func depart(_ count: Int = 1, at instant: MonotonicInstant) {
        for _ in 0..<count {
            guard head < arrivals.count else {
                unknown += 1
                continue
            }
            waited += instant.nanoseconds - arrivals[head]
            departed += 1
            head += 1
        }
        if head == arrivals.count || head > 1024 {
            arrivals.removeFirst(head)
            head = 0
        }
    }

    /// How many items the queue itself holds from now on; to be told after every change.
    package mutating func observe(length now: Int, at instant: MonotonicInstant) {
        area += Int64(length) * (instant.nanoseconds - observedAt)
        length = now
        observedAt = instant.nanoseconds
    }

    /// What does not agree at the end, for a message; `nil`: all does.
    ///
    /// What still waits has waited until `end`.
    package func imbalance(at end: MonotonicInstant) -> String? {
        var closed = self
        closed.observe(length: length, at: end)
        let left = arrivals.count - head
        closed.depart(left, at: end)
        if unknown > 0 { return "\(unknown) items left that had never come" }
        if left != length { return "\(left) items have not left, and the queue holds \(length)" }
        guard closed.area != closed.waited else { return nil }
        return "the lengths add up to \(closed.area) ns and the waits to \(closed.waited) ns"
    }
}
