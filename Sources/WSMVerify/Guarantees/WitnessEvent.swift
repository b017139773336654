/// One event of a violation's witness: who did or saw what, and when.
///
/// Events stand in their order; of some the instant is not kept, only that they came there.
package struct WitnessEvent: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        case published
        /// Submitted and never handed over.
        case submitted
        case received
        /// Should have been received and was not.
        case missed
        case closed
    }

    package var kind: Kind
    /// `publisher 3`, `client 7`.
    package var who: String
    /// Where; `nil` for a publisher outside of all instances.
    package var instance: UInt16?
    /// The message as the witness names it: `publisher:sequence`.
    package var message: String?
    /// From the start of the run, as in the witness's words; `nil` where the instant is not kept.
    package var atNanoseconds: Int64?

    package init(_ kind: Kind, who: String, instance: UInt16?, message: String?, atNanoseconds: Int64? = nil) {
        self.kind = kind
        self.who = who
        self.instance = instance
        self.message = message
        self.atNanoseconds = atNanoseconds
    }
}
