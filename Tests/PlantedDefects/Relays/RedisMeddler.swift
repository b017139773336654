import NIOCore
import WSMCore

/// Stands between instances and Redis, and reads the commands that they send (RESP arrays of bulk strings).
final class RedisMeddler: Meddler {
    enum Defect: Sendable {
        case none
        /// Publishes the message where nobody listens.
        case dropPublish
        /// Publishes the message once more, when some time has passed.
        case duplicatePublish
        /// Ends the connection when Redis has published, before its reply is passed on.
        case cutBeforeReply
        /// Ends the subscription's connection instead of passing the message on.
        case cutSubscription
    }

    private let defect: Defect
    private let plan: RelayPlan
    /// Publishes a message past the instances.
    private let publishAgain: @Sendable (_ command: ByteBuffer) -> Void
    private var unread = ByteBuffer()
    /// The transaction that is being read holds a hit.
    private var hitsTransaction = false
    private var cutsAtReply = false
    private var isSubscriber = false
    private var unreadReplies = ByteBuffer()

    init(_ defect: Defect, _ plan: RelayPlan, publishAgain: @escaping @Sendable (ByteBuffer) -> Void) {
        self.defect = defect
        self.plan = plan
        self.publishAgain = publishAgain
    }

    func clientSent(_ bytes: ByteBuffer, on line: Line) {
        unread.writeImmutableBuffer(bytes)
        var output = ByteBuffer()
        while let command = nextCommand() { take(command, &output) }
        unread.discardReadBytes()
        line.sendToServer(output)
    }

    func serverSent(_ bytes: ByteBuffer, on line: Line) {
        if cutsAtReply {
            // The reply to EXEC is the only array; by then Redis has published.
            unreadReplies.writeImmutableBuffer(bytes)
            if unreadReplies.readableBytesView.contains(UInt8(ascii: "*")) { line.cut() }
            return
        }
        if case .cutSubscription = defect, isSubscriber { return passMessages(bytes, line) }
        line.sendToClient(bytes)
    }

    private struct Command {
        var bytes: ByteBuffer
        var name: String
        /// The last argument's place in `bytes`, and its length.
        var payload: Range<Int>
        var arguments: [Range<Int>]
    }

    private func take(_ command: Command, _ output: inout ByteBuffer) {
        var bytes = command.bytes
        switch (command.name, defect) {
        case ("SUBSCRIBE", _): isSubscriber = true
        case ("PUBLISH", .dropPublish) where isHit(command):
            // `events` becomes `fvents`: the reply and the order of the replies stay.
            let place = bytes.readerIndex + command.arguments[1].lowerBound
            bytes.setInteger((bytes.getInteger(at: place, as: UInt8.self) ?? 0) + 1, at: place)
        case ("PUBLISH", .duplicatePublish) where isHit(command): publishAgain(bytes)
        case ("PUBLISH", .cutBeforeReply): if isHit(command) { hitsTransaction = true }
        case ("EXEC", .cutBeforeReply):
            cutsAtReply = hitsTransaction
            hitsTransaction = false
        default: break
        }
        output.writeImmutableBuffer(bytes)
    }

    private func isHit(_ command: Command) -> Bool {
        let key = command.bytes.withUnsafeReadableBytes { bytes in
            MessageKey(UnsafeRawBufferPointer(rebasing: bytes[command.payload]))
        }
        guard let key, plan.take(key) else { return false }
        plan.count()
        return true
    }

    /// Reads one command; its places count from its own first byte.
    private func nextCommand() -> Command? {
        let view = unread.readableBytesView
        var place = view.startIndex
        guard let count = Self.number(view, &place, after: "*") else { return nil }
        var arguments: [Range<Int>] = []
        for _ in 0..<count {
            guard let length = Self.number(view, &place, after: "$"), place + length + 2 <= view.endIndex else {
                return nil
            }
            let start = place - view.startIndex
            arguments.append(start..<(start + length))
            place += length + 2
        }
        guard let bytes = unread.readSlice(length: place - view.startIndex), let first = arguments.first,
            let last = arguments.last
        else { return nil }
        let name = String(
            decoding: bytes.readableBytesView.dropFirst(first.lowerBound).prefix(first.count), as: UTF8.self)
        return Command(bytes: bytes, name: name.uppercased(), payload: last, arguments: arguments)
    }

    private static func number(_ view: ByteBufferView, _ place: inout Int, after sign: Unicode.Scalar) -> Int? {
        guard place < view.endIndex, view[place] == UInt8(ascii: sign),
            let end = view[place...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < view.endIndex
        else { return nil }
        let number = Int(String(decoding: view[(place + 1)..<end], as: UTF8.self))
        place = end + 2
        return number
    }

    /// Passes what comes before the hit, and then cuts.
    private func passMessages(_ bytes: ByteBuffer, _ line: Line) {
        unreadReplies.writeImmutableBuffer(bytes)
        while let push = nextPush() {
            let key = push.bytes.withUnsafeReadableBytes { bytes in
                MessageKey(UnsafeRawBufferPointer(rebasing: bytes[push.payload]))
            }
            if let key, plan.take(key) {
                plan.count()
                return line.cut()
            }
            line.sendToClient(push.bytes)
        }
    }

    /// Reads one push of a subscription: `message`, channel and payload, or the answer to `SUBSCRIBE`.
    private func nextPush() -> Command? {
        let view = unreadReplies.readableBytesView
        var place = view.startIndex
        guard let count = Self.number(view, &place, after: "*") else { return nil }
        var last = 0..<0
        for _ in 0..<count {
            guard place < view.endIndex else { return nil }
            if view[place] == UInt8(ascii: ":") {
                guard Self.number(view, &place, after: ":") != nil else { return nil }
                continue
            }
            guard let length = Self.number(view, &place, after: "$"), place + length + 2 <= view.endIndex else {
                return nil
            }
            last = (place - view.startIndex)..<(place - view.startIndex + length)
            place += length + 2
        }
        guard let bytes = unreadReplies.readSlice(length: place - view.startIndex) else { return nil }
        return Command(bytes: bytes, name: "", payload: last, arguments: [])
    }
}
