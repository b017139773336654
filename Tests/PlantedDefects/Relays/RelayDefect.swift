enum RelayDefect {
    static let twins: [Twin] = []
}
enum LiveDefect {
    static let twins: [Twin] = []
}
