import WSMCore

/// A message as far as its place in an order goes.
struct ChannelMessage: Hashable, Sendable {
    var publisher: Int
    var sequence: Int
    /// ``ProbeStamp/noProcess`` where it is no update of a process.
    var process = ProbeStamp.noProcess
    var step: UInt16 = 0
    var isMeasured = false

    var key: UInt64 { ChannelOrder.key(publisher, sequence) }
}

/// The order in which an instance sends the messages of its channel, as the clients of one event loop see it.
///
/// Whoever receives a message first is the witness of its place. A session that misses nothing and sees what the others see
/// is then a contiguous slice of the order, and following it is one comparison a message. Some 13 bytes a message (25 where
/// processes are followed), however many sessions there are; of publishers only those that it has heard of take room.
struct ChannelOrder: Sendable {
    /// What is to be looked at when a session comes to a message.
    struct Marks: OptionSet, Sendable {
        let rawValue: UInt8
        /// A message of the same publisher with a higher number stands before it.
        static let afterItsSuccessor = Marks(rawValue: 1)
        /// A later step of the same process stands before it.
        static let afterLaterStep = Marks(rawValue: 2)
        /// It is the update of a process, and its step could be compared.
        static let step = Marks(rawValue: 4)
        /// It is the update of a process, and its step could not be compared.
        static let uncheckedStep = Marks(rawValue: 8)
        static let measured = Marks(rawValue: 16)

        /// A session that comes to it has to be looked at more closely.
        static let irregular: Marks = [.afterItsSuccessor, .afterLaterStep]
    }

    /// How far the search for a message that a session received before another goes.
    static let searchLimit = 1024
    private static let none = UInt32.max

    private(set) var keys: ContiguousArray<UInt64> = []
    private(set) var marks: ContiguousArray<Marks> = []
    /// By the numbers of the publishers that have sent anything.
    private var publishers: [Int: SequencePlaces] = [:]
    private var steps = ProcessSteps()
    /// For each message the step, and the places of the updates of the same process next to it; empty without processes.
    private var updates: ContiguousArray<Update> = []

    private struct Update: Sendable {
        var step: UInt16 = 0
        var previous = ChannelOrder.none
        var next = ChannelOrder.none
    }

    var count: Int { keys.count }

    /// Publisher and sequence number in one word, as in the probe stamp.
    static func key(_ publisher: Int, _ sequence: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: publisher) << 40 | UInt64(truncatingIfNeeded: sequence)
    }
    static func publisher(of key: UInt64) -> Int { Int(key >> 40) }
    static func sequence(of key: UInt64) -> Int { Int(key & 0xff_ffff_ffff) }

    /// The publishers that it has heard of, in no order.
    var heard: some Sequence<Int> { publishers.keys }

    /// Where the messages of a publisher stand; `nil` where it has heard of none.
    func places(ofPublisher publisher: Int) -> SequencePlaces? { publishers[publisher] }

    func place(of message: ChannelMessage) -> Int? {
        publishers[message.publisher]?.place(of: message.sequence)
    }

    func place(ofKey key: UInt64) -> Int? {
        publishers[ChannelOrder.publisher(of: key)]?.place(of: ChannelOrder.sequence(of: key))
    }

    /// Puts a message that has no place yet at the end; `nil` when there is no room for its number.
    mutating func append(_ message: ChannelMessage) -> Int? {
        let index = keys.count
        let isBelow = message.sequence < publishers[message.publisher]?.highest ?? -1
        guard index < Int(ChannelOrder.none),
            publishers[message.publisher, default: SequencePlaces()].set(message.sequence, index)
        else { return nil }
        keys.append(message.key)
        var marks: Marks = message.isMeasured ? .measured : []
        if isBelow { marks.insert(.afterItsSuccessor) }
        if message.process != ProbeStamp.noProcess { marks.formUnion(noteStep(message, index)) }
        self.marks.append(marks)
        return index
    }

    private mutating func noteStep(_ message: ChannelMessage, _ index: Int) -> Marks {
        if updates.count < index {
            updates.append(contentsOf: repeatElement(Update(), count: index - updates.count))
        }
        updates.append(Update(step: message.step))
        switch steps.append(process: message.process, step: message.step, index: index) {
        case .inOrder(let previous):
            if let previous { link(previous, index) }
            return .step
        case .violated(let previous):
            link(previous, index)
            return [.step, .afterLaterStep]
        case .unchecked:
            return .uncheckedStep
        }
    }

    private mutating func link(_ previous: Int, _ index: Int) {
        updates[previous].next = UInt32(truncatingIfNeeded: index)
        updates[index].previous = UInt32(truncatingIfNeeded: previous)
    }

    func step(at index: Int) -> UInt16 { index < updates.count ? updates[index].step : 0 }

    /// The place of a later step of the same process that `isReceived`; `nil` when there is none.
    func laterStep(thanAt index: Int, isReceived: (Int) -> Bool) -> Int? {
        guard index < updates.count else { return nil }
        if marks[index].contains(.afterLaterStep), let place = search(from: index, \.previous, isReceived) {
            return place
        }
        return search(from: index, \.next, isReceived)
    }

    private func search(
        from index: Int, _ direction: KeyPath<Update, UInt32>, _ isReceived: (Int) -> Bool
    ) -> Int? {
        var place = updates[index][keyPath: direction]
        var count = 0
        while place != ChannelOrder.none, count < ChannelOrder.searchLimit {
            let candidate = Int(place)
            if updates[candidate].step > updates[index].step, isReceived(candidate) { return candidate }
            place = updates[candidate][keyPath: direction]
            count += 1
        }
        return nil
    }

    /// Whether a message of the same publisher with a higher number `isReceived`; `nil` when the search ended before it knew.
    func hasSuccessor(ofMessageAt index: Int, isReceived: (Int) -> Bool) -> Bool? {
        let publisher = ChannelOrder.publisher(of: keys[index])
        let sequence = ChannelOrder.sequence(of: keys[index])
        guard let places = publishers[publisher], sequence < places.highest else { return false }
        for candidate in (sequence + 1)...min(places.highest, sequence + ChannelOrder.searchLimit) {
            if let place = places.place(of: candidate), isReceived(place) { return true }
        }
        return places.highest - sequence > ChannelOrder.searchLimit ? nil : false
    }
}
