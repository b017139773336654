/// `A..B`: the seeds of a campaign, both ends among them.
package struct SeedRange: Hashable, Sendable, CustomStringConvertible {
    /// More than that nobody waits for.
    package static let limit: UInt64 = 10_000_000

    package let first: UInt64
    package let last: UInt64

    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    /// Reads `1..200`.
    package init(parsing text: String) throws(Fault) {
        let ends = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt64($0) }
        guard ends.count == 3, text.contains(".."), let first = ends[0], let last = ends[2], ends[1] == nil else {
            throw Fault(description: "--seeds needs A..B, for example --seeds 1..200")
        }
        guard first <= last else { throw Fault(description: "--seeds \(text): \(first) is above \(last)") }
        guard last - first < Self.limit else {
            throw Fault(description: "--seeds \(text): these are more than \(Self.limit) seeds")
        }
        self.first = first
        self.last = last
    }

    /// One seed alone.
    package init(only seed: UInt64) {
        first = seed
        last = seed
    }

    package var count: Int { Int(last - first) + 1 }
    package var description: String { "\(first)..\(last)" }
}
