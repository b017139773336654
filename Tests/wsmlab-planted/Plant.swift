import WSMCore

/// What makes this build worse than wsmlab, from the environment variable `WSMLAB_PLANT`.
enum Plant: Hashable, Sendable {
    /// `cpu:10%`: so much more CPU on the event loops of the instances.
    case cpu(share: Double)
    /// `delay:2ms`: each message is held for so long before it is handed to the broker.
    case delay(TimeSpan)
    /// `loss:1/10000`: of so many deliveries one never reaches its client.
    case loss(every: Int)

    /// - Throws: ``PlantError`` for a text that is none of them.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw PlantError(text: text) }
        switch parts[0] {
        case "cpu":
            guard parts[1].hasSuffix("%"), let percent = Double(parts[1].dropLast()), (0...1000).contains(percent)
            else {
                throw PlantError(text: text)
            }
            self = .cpu(share: percent / 100)
        case "delay":
            guard parts[1].hasSuffix("ms"), let span = Double(parts[1].dropLast(2)), (0...1000).contains(span) else {
                throw PlantError(text: text)
            }
            self = .delay(TimeSpan(nanoseconds: Int64(span * 1e6)))
        case "loss":
            guard parts[1].hasPrefix("1/"), let every = Int(parts[1].dropFirst(2)), every >= 1 else {
                throw PlantError(text: text)
            }
            self = .loss(every: every)
        default: throw PlantError(text: text)
        }
    }
}

struct PlantError: Error, CustomStringConvertible {
    let text: String

    var description: String { "WSMLAB_PLANT is \"\(text)\": write cpu:10%, delay:2ms or loss:1/10000" }
}
