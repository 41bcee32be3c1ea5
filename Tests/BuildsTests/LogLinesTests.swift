import KubernetesTypes
import Testing
import Timing

@testable import Builds

@Suite("Lines of logs")
struct LogLinesTests {
    private func lines(_ pieces: [String], maximum: Int = 1000) -> [LogLine] {
        var cutter = LogLines(lineBytesMaximum: maximum)
        var lines = pieces.flatMap { cutter.take(Array($0.utf8)) }
        if let last = cutter.finish() { lines.append(last) }
        return lines
    }

    private func texts(_ pieces: [String], maximum: Int = 1000) -> [String] {
        lines(pieces, maximum: maximum).map { String(decoding: $0.text, as: UTF8.self) + ($0.isCut ? "|" : "") }
    }

    @Test("Lines come out the same however the log is cut into pieces")
    func pieces() {
        let log = "one\ntwo\r\n\n2026-11-20T12:00:00.5Z three\nlast"
        let expected = lines([log])

        #expect(expected.map { String(decoding: $0.text, as: UTF8.self) } == ["one", "two", "", "three", "last"])
        #expect(expected[3].time == "2026-11-20T12:00:00.5Z")
        for size in 1...9 {
            var rest = log[...]
            var pieces: [String] = []
            while !rest.isEmpty {
                pieces.append(String(rest.unicodeScalars.prefix(size)))
                rest = rest.unicodeScalars.dropFirst(size).isEmpty ? "" : Substring(rest.unicodeScalars.dropFirst(size))
            }
            #expect(lines(pieces) == expected)
        }
    }

    @Test(
        "What does not begin with a time has none",
        arguments: [
            "2026-11-20 12:00 x", "x", "", " x", "2026-11-20T12:00:00Z", String(repeating: "9", count: 50) + " x",
        ])
    func noTime(text: String) {
        let line = LogLine(stamped: Array(text.utf8))

        #expect(line.time.isEmpty)
        #expect(line.text == Array(text.utf8))
    }

    @Test(
        "What the kubelet says in a line's place is told from what a container says",
        arguments: [
            ("rpc error: code = NotFound desc = an error occurred when try to find container \"a2\": not found", true),
            ("unable to retrieve container logs for containerd://a2", true),
            ("2026-11-20T12:00:00Z rpc error: code = NotFound", false), ("", false), ("rpc error", false),
        ])
    func kubelet(text: String, isOfKubelet: Bool) {
        #expect(LogLine(stamped: Array(text.utf8)).isOfKubelet == isOfKubelet)
    }

    @Test("Of a line without an end only the begin is held")
    func endless() {
        let cut = texts([String](repeating: "abcdefgh", count: 1000) + ["\nnext\n"], maximum: 20)

        #expect(cut == ["abcdefghabcdefghabcd|", "next"])
    }

    @Test("A secret that a cut runs through does not show its begin")
    func cutSecret() {
        let masker = LogMasker(values: ["correct-horse"])
        for length in 20...60 {
            let text = String(repeating: "x", count: length - 6) + "correct-horse"
            for line in lines([text + "\n"], maximum: length) {
                let shown = String(decoding: line.masked(by: masker).text, as: UTF8.self)
                #expect(!shown.contains("corr"))
            }
        }
    }

    @Test("The tail of a log", arguments: [(0, ""), (1, "c\n"), (2, "b\nc\n"), (3, "a\nb\nc\n"), (9, "a\nb\nc\n")])
    func tail(count: Int, expected: String) {
        #expect(Array(LogLines.tail(Array("a\nb\nc\n".utf8), count)) == Array(expected.utf8))
        #expect(LogLines.tail([], count).isEmpty)
    }

    @Test("The end of a long log is kept, in whole lines, with a note of what is missing")
    func end() {
        var end = LogEnd(bytesMaximum: 100)
        var whole = LogEnd(bytesMaximum: 100)
        whole.take(Array("short\n".utf8))
        for number in 1000..<2000 { end.take(Array("line \(number)\n".utf8)) }

        let kept = String(decoding: end.finish(), as: UTF8.self)

        #expect(whole.finish() == Array("short\n".utf8))
        let lines = kept.split(separator: "\n")
        #expect(lines.last == "line 1999")
        #expect(lines.first == "[9910 bytes before this are not kept]")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("line 19") && $0.count == 9 })
        #expect(lines.count == 10)
    }

    @Test("A log without any line's end leaves nothing but the note")
    func oneLine() {
        var end = LogEnd(bytesMaximum: 10)
        end.take([UInt8](repeating: 0x61, count: 1000))

        #expect(String(decoding: end.finish(), as: UTF8.self) == "[1000 bytes before this are not kept]\n")
    }
}

@Suite("Listings of buckets")
struct S3ListingTests {
    private let page = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!-- a comment with <tags> -->
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><KeyCount>2</KeyCount>
        <MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>1&amp;2==</NextContinuationToken>
        <Contents><Key>a&amp;&lt;&#66;&#x43;/build.log</Key><LastModified>2026-11-20T12:00:00.000Z</LastModified>
        <ETag>&quot;x&quot;</ETag><Size>42</Size><Owner><ID>1</ID></Owner></Contents>
        <Contents><Key>c</Key><Size>-1</Size><Other/></Contents><CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>
        </ListBucketResult>
        """

    @Test("Keys, sizes, times and the way to the next page are read, the rest is passed over")
    func read() throws {
        let listing = try S3Listing(xml: Array(page.utf8))

        #expect(listing.entries.map(\.key) == ["a&<BC/build.log", "c"])
        #expect(listing.entries.map(\.sizeBytes) == [42, 0])
        #expect(listing.entries[0].modifiedAt == Timestamp(rfc3339: "2026-11-20T12:00:00Z"))
        #expect(listing.isTruncated)
        #expect(listing.continuationToken == "1&2==")
    }

    @Test("An answer that is cut anywhere is refused")
    func truncated() {
        let bytes = Array(page.utf8)
        for count in 0..<(bytes.count - 1) {
            #expect(throws: LogStoreError.self) { try S3Listing(xml: Array(bytes[..<count])) }
        }
    }

    @Test(
        "What is no listing is refused",
        arguments: [
            "", "x", "<a/>", "<Error><Code>X</Code></Error>", "<ListBucketResult>", "</a>", "<a></b>", "<>", "< >",
            "<a",
            "<!DOCTYPE x [<!ENTITY y \"z\">]><ListBucketResult/>", "<ListBucketResult>&x;</ListBucketResult>",
            "<ListBucketResult>&#1114112;</ListBucketResult>", "<ListBucketResult>&amp</ListBucketResult>",
            "<ListBucketResult><![CDATA[x]]></ListBucketResult>", "<!-- ", "<?xml",
            String(repeating: "<a>", count: 100_000),
        ])
    func hostile(xml: String) {
        #expect(throws: LogStoreError.self) { try S3Listing(xml: Array(xml.utf8)) }
    }

    @Test("The code of an error is a word or nothing")
    func errors() {
        #expect(S3Listing.errorCode(xml: Array("<Error><Code>NoSuchKey</Code></Error>".utf8)) == "NoSuchKey")
        #expect(S3Listing.errorCode(xml: Array("<Error><Code>a b</Code></Error>".utf8)) == nil)
        #expect(S3Listing.errorCode(xml: Array("<html>".utf8)) == nil)
        #expect(S3Listing.errorCode(xml: [0xFF, 0x3C]) == nil)
    }
}

@Suite("The section logs")
struct LogsConfigurationTests {
    @Test("tells what is wrong, by the name of the field")
    func problems() {
        var configuration = LogsConfiguration()
        #expect(configuration.validate().isEmpty)

        configuration.url = "builder"
        configuration.publicURL = "https://logs.example.com/?x"
        configuration.retention = "soon"
        configuration.logBytesMaximum = 1
        configuration.totalBytesMaximum = 0
        configuration.s3 = .init()
        configuration.s3?.endpoint = "http://10.0.0.1:9000"
        configuration.s3?.bucket = "B"
        configuration.s3?.region = "a:b"
        configuration.s3?.prefix = "x"

        #expect(
            configuration.validate().map { String($0.prefix { $0 != ":" }) } == [
                "url", "publicURL", "retention", "logBytesMaximum", "totalBytesMaximum", "s3.endpoint", "s3.bucket",
                "s3.region", "s3.prefix",
            ])
        configuration.s3?.allowsPlainHTTP = true
        #expect(!configuration.validate().contains { $0.hasPrefix("s3.endpoint") })
    }
}
