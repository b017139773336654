import WSMHarness

/// A cost model in words.
enum CostText {
    static func name(_ quantity: CostModel.Quantity) -> String {
        switch quantity {
        case .instanceCPU: "Instances' CPU"
        case .redisCPU: "Redis' CPU"
        case .memory: "Memory"
        case .redisConnections: "Connections"
        }
    }

    /// A sum that misses a load by more than half of the mean tells nothing.
    private static let largestError = 0.5

    /// `50.0 ms/s + 11.2 µs a delivery; off by 3 %, by 6 % where a load is predicted from the others`.
    static func sentence(_ model: CostModel) -> String {
        guard model.leaveOneOutError <= largestError else {
            return "too little of it, or too uneven, for a sum (off by \(percent(model.leaveOneOutError)))"
        }
        let terms = model.terms.filter { $0.value > least(model.quantity) }.map { term($0, of: model.quantity) }
        let sum = terms.isEmpty ? "nothing" : terms.joined(separator: " + ")
        return "\(sum); off by \(percent(model.relativeError)), by \(percent(model.leaveOneOutError)) where a load is "
            + "predicted from the others"
    }

    /// What would read as zero is left out.
    private static func least(_ quantity: CostModel.Quantity) -> Double {
        switch quantity {
        case .instanceCPU, .redisCPU: 1e-9
        case .memory: 1
        case .redisConnections: 0.005
        }
    }

    private static func term(_ term: CostModel.Term, of quantity: CostModel.Quantity) -> String {
        let isRate = term.per == .publish || term.per == .delivery
        let value: String
        switch quantity {
        case .instanceCPU, .redisCPU: value = Figures.time(term.value * 1e9) + (isRate ? "" : "/s")
        case .memory: value = Figures.bytes(term.value)
        case .redisConnections: value = Figures.threeDigits(term.value)
        }
        // What a message uses of the CPU is used once; memory and connections go with the rate.
        let isHeld = isRate && (quantity == .memory || quantity == .redisConnections)
        return term.per == .fixed ? "\(value) fixed" : "\(value) \(one(term.per))\(isHeld ? " a second" : "")"
    }

    private static func one(_ driver: CostModel.Driver) -> String {
        switch driver {
        case .fixed: "fixed"
        case .instance: "an instance"
        case .client: "a client"
        case .publish: "a message"
        case .delivery: "a delivery"
        }
    }

    /// What the curve cannot tell apart, in one sentence; `nil`: it tells all.
    static func inseparable(_ models: [CostModel]) -> String? {
        var fixed: [CostModel.Driver] = []
        var pairs: [String] = []
        for each in models.flatMap(\.inseparable) {
            if each.from == [.fixed] {
                if !fixed.contains(each.driver) { fixed.append(each.driver) }
                continue
            }
            // A message with a delivery, and a delivery with a message, are one finding.
            let pair = ([each.driver] + each.from).sorted { $0.rawValue < $1.rawValue }.map(one)
            let text = pair.joined(separator: " from ")
            if !pairs.contains(text) { pairs.append(text) }
        }
        var parts: [String] = []
        if !fixed.isEmpty {
            parts.append(
                "\(fixed.map(one).joined(separator: ", ")): in the fixed part, since their number was the same")
        }
        if !pairs.isEmpty { parts.append("\(pairs.joined(separator: ", ")): they rose together") }
        return parts.isEmpty ? nil : "Not told apart: " + parts.joined(separator: "; ")
    }

    private static func percent(_ share: Double) -> String {
        "\(Figures.decimal(share * 100, places: share < 0.1 ? 1 : 0)) %"
    }
}
