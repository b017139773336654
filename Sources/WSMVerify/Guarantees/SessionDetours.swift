/// The detours of one session in the order of their coming, found by the places that they cover.
///
/// A session that catches up may have a thousand of them, and the checkers of order ask millions of times.
struct SessionDetours {
    private let detours: [SessionLedger.Detour]
    /// Their indices by the places that they cover; no two cover the same, since a session receives a message once.
    private let byPlace: [Int]

    init(_ detours: [SessionLedger.Detour]) {
        self.detours = detours
        byPlace = detours.indices.sorted { detours[$0].from < detours[$1].from }
    }

    subscript(index: Int) -> SessionLedger.Detour { detours[index] }

    /// Which of them brought the message at the place, if one did.
    func index(covering place: Int) -> Int? {
        var (low, high) = (0, byPlace.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(detours[byPlace[middle]].from) <= place { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let found = byPlace[low - 1]
        return detours[found].places.contains(place) ? found : nil
    }
}
