import Testing

@testable import WSMHarness

@Suite("Reading HTTP answers")
struct HTTPResponseReaderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let text: String
        let status: Int
        let keeps: Bool
        var testDescription: String { text.split(separator: "\r\n").first.map(String.init) ?? text }
    }

    static let cases = [
        Case(text: "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", status: 201, keeps: true),
        Case(text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, keeps: true),
        Case(text: "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", status: 200, keeps: true),
        Case(text: "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", status: 503, keeps: false),
        Case(text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", status: 200, keeps: false),
        Case(
            text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", status: 200, keeps: true),
        Case(
            text: "HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: a\r\n\r\n", status: 202, keeps: true),
        Case(
            text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200, keeps: true),
        Case(text: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", status: 200, keeps: true),
    ]

    @Test("An answer is the same wherever its bytes are cut", arguments: cases)
    func cut(_ example: Case) throws {
        let bytes = Array(example.text.utf8)
        for split in 0...bytes.count {
            var reader = HTTPResponseReader()
            try reader.receive(bytes[..<split])
            #expect(reader.isComplete == (split == bytes.count), "at \(split)")
            try reader.receive(bytes[split...])
            #expect(reader.isComplete)
            #expect(reader.status == example.status)
            #expect(reader.keepsConnection == example.keeps)
        }
        var single = HTTPResponseReader()
        for byte in bytes { try single.receive([byte]) }
        #expect(single.isComplete)
    }

    @Test("Without a length the body ends with the connection")
    func untilClose() throws {
        var reader = HTTPResponseReader()
        try reader.receive("HTTP/1.1 200 OK\r\n\r\nsome".utf8)
        #expect(!reader.isComplete)
        let isWhole = reader.closed()
        #expect(isWhole)
        #expect(reader.status == 200)
        #expect(!reader.keepsConnection)
        var cut = HTTPResponseReader()
        try cut.receive("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome".utf8)
        let isCutWhole = cut.closed()
        #expect(!isCutWhole)
    }

    @Test("Bytes behind an answer cost the connection, not the answer")
    func surplus() throws {
        var reader = HTTPResponseReader()
        try reader.receive("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK".utf8)
        #expect(reader.status == 204)
        #expect(!reader.keepsConnection)
    }

    @Test("A body without end is not read to its end")
    func largeBody() throws {
        var reader = HTTPResponseReader()
        try reader.receive("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n".utf8)
        let part = [UInt8](repeating: 0, count: 64 << 10)
        for _ in 0...(HTTPResponseReader.bodyLimit / part.count) { try reader.receive(part) }
        #expect(reader.isComplete)
        #expect(!reader.keepsConnection)
    }

    @Test(
        "What is no answer is refused and never traps",
        arguments: [
            "SSH-2.0-x\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 99 x\r\n", "HTTP/1.1 600 x\r\n", "HTTP/1.1 2x0 x\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
            String(repeating: "x", count: 70_000),
        ])
    func refused(_ text: String) {
        var reader = HTTPResponseReader()
        #expect(throws: HTTPResponseReader.Fault.self) { try reader.receive(text.utf8) }
    }
}
