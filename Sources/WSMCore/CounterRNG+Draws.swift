/// What scenarios drawn at random ask of a generator.
extension CounterRNG {
    /// True with this probability, 0…1.
    package mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// One of the numbers, each as likely as the other.
    package mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(unit() * Double(range.count))
    }

    /// One of the words, each as likely as the other; there is at least one.
    package mutating func one<Choice>(of choices: [Choice]) -> Choice { choices[pick(0...choices.count - 1)] }
}
