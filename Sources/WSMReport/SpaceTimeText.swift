internal import WSMHarness
internal import WSMVerify

/// A violation as a space-time diagram in plain characters: a line of life for each publisher and client and one for the faults,
/// time from top to bottom, an arrow from each publish to each receipt.
enum SpaceTimeText {
    private static let laneWidth = 22
    private static let timeWidth = 11
    /// More events than these are not drawn.
    private static let limit = 24

    private struct Step {
        var lane: Int
        /// Where its message comes from.
        var from: Int?
        var mark: Character
        var words: String
        var at: Int64?
    }

    /// The drawing's lines; empty where there is nothing to draw.
    static func lines(_ events: [WitnessEvent], faults: [FaultResult], measuredFrom: Int64) -> [String] {
        guard !events.isEmpty else { return [] }
        var names: [String] = faults.isEmpty ? [] : ["faults"]
        for event in events where !names.contains(name(event)) { names.append(name(event)) }
        var steps = events.enumerated().map { index, event in step(event, index, events, names) }
        for fault in faults.reversed() {
            insert(Step(lane: 0, mark: "!", words: fault.action, at: fault.at + measuredFrom), into: &steps)
            guard let healed = fault.healedAt else { continue }
            insert(Step(lane: 0, mark: "+", words: "healed", at: healed + measuredFrom), into: &steps)
        }
        let head = names.map { PlainText.left(PlainText.cut($0, to: laneWidth - 2), laneWidth) }.joined()
        let all = [PlainText.left("", timeWidth) + head] + steps.prefix(limit).map { draw($0, lanes: names.count) }
        return all.map { PlainText.printable(String($0.trimmingSuffix(" "))) }
            + ["o published  * received  x never came  # closed  ! fault  ~ no instant is kept"]
    }

    private static func name(_ event: WitnessEvent) -> String {
        event.instance.map { "\(event.who) @\($0)" } ?? event.who
    }

    private static func step(_ event: WitnessEvent, _ index: Int, _ events: [WitnessEvent], _ names: [String]) -> Step {
        let lane = names.firstIndex(of: name(event)) ?? 0
        let origin = events[..<index].first {
            ($0.kind == .published || $0.kind == .submitted) && $0.message == event.message
        }
        let from = origin.flatMap { names.firstIndex(of: name($0)) }
        let message = event.message ?? ""
        return switch event.kind {
        case .published: Step(lane: lane, mark: "o", words: message, at: event.atNanoseconds)
        case .submitted: Step(lane: lane, mark: "o", words: "\(message) submitted", at: event.atNanoseconds)
        case .received: Step(lane: lane, from: from, mark: "*", words: message, at: event.atNanoseconds)
        case .missed: Step(lane: lane, from: from, mark: "x", words: message, at: event.atNanoseconds)
        case .closed: Step(lane: lane, mark: "#", words: "closed", at: event.atNanoseconds)
        }
    }

    /// Puts a step of known time before the first that is later.
    private static func insert(_ step: Step, into steps: inout [Step]) {
        let place = steps.firstIndex { ($0.at ?? .min) > (step.at ?? .min) } ?? steps.endIndex
        steps.insert(step, at: place)
    }

    private static func draw(_ step: Step, lanes: Int) -> String {
        var row = [Character](repeating: " ", count: lanes * laneWidth)
        for lane in 0..<lanes { row[lane * laneWidth] = "|" }
        let place = step.lane * laneWidth
        if let from = step.from, from != step.lane {
            let start = from * laneWidth
            for column in min(start, place) + 1..<max(start, place) { row[column] = "-" }
            row[start < place ? place - 1 : place + 1] = start < place ? ">" : "<"
        }
        row[place] = step.mark
        for (offset, character) in step.words.enumerated() where offset < laneWidth - 3 {
            row[place + 2 + offset] = character
        }
        let time = step.at.map { Figures.decimal(Double($0) / 1e9, places: 4) + " s" } ?? "~"
        return PlainText.left(time, timeWidth) + String(row)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ character: Character) -> Substring {
        var rest = self[...]
        while rest.last == character { rest.removeLast() }
        return rest
    }
}
