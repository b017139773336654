internal import Synchronization
internal import WSMRecord

/// The stages of messages inside of instances: of one instance, or of all that one thread simulates.
///
/// The histograms of one recorder take some megabytes. Publishing threads and event loops do not wait for each other here.
final class StageRecorder: Sendable {
    /// Up to the handing over to the broker or the manager.
    let publishing = Mutex(StageHistograms())
    /// From there up to the frame's writing.
    let writing = Mutex(StageHistograms())

    /// All of them, so far.
    var stages: StageHistograms {
        var sum = publishing.withLock { $0 }
        sum.add(writing.withLock { $0 })
        return sum
    }

    /// Their means so far, cheap enough to be asked a few times a second.
    var means: StageMeans {
        var means = publishing.withLock { StageMeans($0) }
        means.add(writing.withLock { StageMeans($0) })
        return means
    }
}
