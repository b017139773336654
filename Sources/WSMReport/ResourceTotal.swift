import WSMHarness

/// What several processes used together.
struct ResourceTotal {
    private var parts: [ResourceUsage]

    init(_ parts: [ResourceUsage]) {
        self.parts = parts
    }

    var cpuSeconds: Double { parts.reduce(0) { $0 + $1.cpuSeconds } }

    /// `nil` where nothing was delivered.
    var cpuSecondsPerMillionDeliveries: Double? {
        let known = parts.compactMap(\.cpuSecondsPerMillionDeliveries)
        return known.isEmpty ? nil : known.reduce(0, +)
    }

    /// Each process counts once, also where instances share it.
    var peakRssBytes: Int64 {
        var seen: Set<Int32> = []
        return parts.reduce(0) { seen.insert($1.pid).inserted ? $0 + $1.peakRssBytes : $0 }
    }

    var text: String {
        var text = "\(Figures.threeDigits(cpuSeconds)) s CPU"
        if let share = cpuSecondsPerMillionDeliveries {
            text += " (\(Figures.threeDigits(share)) s a million deliveries)"
        }
        return text + ", \(Figures.bytes(Double(peakRssBytes))) at most"
    }
}
