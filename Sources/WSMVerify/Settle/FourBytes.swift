/// A count of one session's messages that takes four bytes, since a run may have millions of sessions.
///
/// Each submitted message takes some bytes of its publisher's history, so that memory ends long before such a count does. What
/// a broken system invents has no history: its count stays at the limit, and is a violation all the same.
@propertyWrapper
struct FourBytes {
    private var stored: UInt32 = 0

    var wrappedValue: Int64 {
        get { Int64(stored) }
        set { stored = UInt32(clamping: newValue) }
    }
}
