/// The layout of `trace.zst`, version 1.
///
/// All numbers are little-endian, all instants nanoseconds of the monotonic clock.
///
/// A trace is a sequence of *chunks*. Each is written as two zstd frames (RFC 8878), so that `zstd -dc` gives the chunks'
/// content one after the other:
///
/// | bytes | seal: a skippable frame, which zstd's own tools pass over |
/// |---|---|
/// | 4 | magic number 0x184D2A50 |
/// | 4 | 16, the length of what follows |
/// | 4 | length of the next frame |
/// | 4 | number of the chunk in the file, from 0 |
/// | 8 | XXH64 of the next frame's bytes, with these two numbers as the seed (length + number · 2³²) |
///
/// Then a frame with content size and checksum. zstd's checksum covers the content alone; the seal's covers every bit of
/// the frame, also those that a decoder ignores. The content begins with the chunk's header:
///
/// | bytes | header |
/// |---|---|
/// | 4 | `WSMT` |
/// | 2 | format version |
/// | 1 | kind of the chunk (``ChunkKind``) |
/// | 1 | role of its lane (``TraceRole``) |
/// | 4 | lane, unique in the file |
/// | 4 | index of the lane in its role: the event loop, the instance |
/// | 4 | number of the chunk in its lane, from 0 |
/// | 4 | events in the chunk |
/// | 4 | length of the payload |
/// | 4 | 0 |
/// | 8 | events that the lane has dropped so far, for want of a free buffer |
/// | 8 | base instant, from which the first receipt counts |
///
/// The first chunk is a document (JSON, opaque here) that says what ran; the last but one usually a document with what is
/// known at the end. The last chunk ends the trace: 24 bytes for each lane, with lane (4), chunks (4), events (8), dropped
/// (8). A trace without it was cut. Events are in the order of their lane; lanes have no order among each other.
enum TraceFormat {
    static let version: UInt16 = 1
    static let magic: UInt32 = 0x544d_5357
    static let sealMagic: UInt32 = 0x184d_2a50
    static let sealLength = 24
    static let headerLength = 48
    static let totalsLength = 24
    /// The content of a chunk of events.
    static let bufferLength = 128 << 10
    /// The longest content that a reader accepts; a document may be so long.
    static let longestContent = 64 << 20
    /// Bytes that are kept of a message without a stamp of ours, and of an error's text.
    static let keptBytes = 1024

    enum ChunkKind: UInt8 {
        case events = 0
        case document = 1
        case end = 2
    }

    /// The kinds of records.
    ///
    /// The lowest four bits of each are its kind. Where it has a slot, that is the next twelve; else the next four are 0.
    enum Record: UInt8 {
        /// kind and slot 2, intact (1) and stamp's kind (· 2), channel, run 4, publisher 4, process 4, step 2, zero 2, sequence 8,
        /// intended 8, sent 8, queued 8, dequeued 8, published 8.
        case defined = 1
        /// kind and slot 2, session 3, time since the receipt before 3.
        case received = 2
        /// kind and slot 2, zero 2, session 4, at 8: a receipt whose numbers do not fit into the short form.
        case receivedWide = 3
        /// kind, zero, kept bytes 2, session 4, at 8, length 4, the kept bytes.
        case foreign = 4
        /// kind, slow reader, instance 2, client 4, session 4, attempted 8, opened 8; where the second byte is 2 or 3, the
        /// session was stalled or resumed at the last of the instants, and the rest is zero.
        case opened = 5
        /// kind, how, close code 2, session 4, at 8, length of the text 2, the text.
        case closed = 6
        /// kind, zero, instance 2, client 4, at 8.
        case connectFailed = 7
        /// kind, zero 3, measured from 8.
        case measuring = 8
        /// kind, channel, step 2, publisher 4, process 4, sequence 8, intended 8, sent 8.
        case submitted = 9
        /// kind, channel, zero 2, publisher 4, sequence 8, at 8, queued 8, dequeued 8.
        case published = 10
        /// kind, channel, zero 2, publisher 4, sequence 8, at 8.
        case acknowledged = 11
        /// kind, channel, outcome, zero, publisher 4, sequence 8, at 8.
        case failed = 12
        /// kind, channel, instance 2, publisher 4, sequence 8, client 4, delivered 8, written 8.
        case fannedOut = 13
        /// kind, what, instance 2, client 4, at 8.
        case happened = 14
        /// kind, what (0 expected, 1 began, 2 healed), fault 2, at 8.
        case fault = 15

        /// The length without a text at the end.
        var length: Int {
            switch self {
            case .defined: 68
            case .received: 8
            case .receivedWide, .connectFailed, .happened: 16
            case .foreign: 20
            case .opened: 28
            case .closed: 18
            case .measuring, .fault: 12
            case .submitted, .fannedOut: 36
            case .published: 40
            case .acknowledged, .failed: 24
            }
        }
    }

    /// How many messages a chunk can refer to at a time.
    static let slots = 1 << 12
    /// The greatest session and the longest time since the last receipt in the short form.
    static let shortLimit: UInt32 = 1 << 24
}

/// Who writes a lane.
package enum TraceRole: UInt8, CaseIterable, Sendable {
    /// The trace itself: documents and the end.
    case file = 0
    /// One event loop of the client fleet.
    case clients = 1
    /// Everyone who publishes.
    case publishers = 2
    /// One instance.
    case instance = 3
}
