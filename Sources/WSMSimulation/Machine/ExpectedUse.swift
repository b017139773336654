/// How much of a core a thread is expected to use when it runs again, in thousandths: as much as when it last went to sleep, and less
/// only bit by bit (`util_est`, `kernel/sched/fair.c` of Linux).
struct ExpectedUse {
    /// A difference as small as this is none.
    private static let margin: Int64 = 10

    private(set) var thousandths: Int64 = 0

    /// The thread goes to sleep.
    ///
    /// - Parameters:
    ///   - used: What it lately had of a core.
    ///   - wanted: What it had with the time that it waited for it. One that waited might have used more, which is no reason to expect less.
    mutating func note(used: Int64, wanted: Int64) {
        guard used < thousandths else { return thousandths = used }
        let less = thousandths - used
        guard less >= Self.margin, used + Self.margin >= wanted else { return }
        thousandths -= less / 4
    }
}
