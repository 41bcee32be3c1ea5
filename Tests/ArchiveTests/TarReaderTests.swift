import Archive
import Glibc
import Testing

@Suite("Tar reader")
struct TarReaderTests {
    @Test(
        "Archives by GNU tar in each of its formats, plain and by gzip, are read",
        arguments: ["gnu", "pax", "ustar", "v7"])
    func formats(format: String) throws {
        let scratch = try Scratch()
        let half = ["v7": 10, "ustar": 45][format] ?? 90
        let directory = String(repeating: "d", count: half)
        let name = directory + "/" + String(repeating: "n", count: half)
        #expect(scratch.run("mkdir -p t/\(directory) && printf hello > t/\(name)"))
        #expect(scratch.run("chmod 6755 t/\(name) && ln t/\(name) t/zhard && ln -s zhard t/soft"))
        #expect(scratch.run("tar --format=\(format) -C t -cf a.tar ./\(name) soft zhard && gzip -k a.tar"))

        for file in ["a.tar", "a.tar.gz"] {
            let reader = try TarReader(bytes: scratch.read(file))
            let first = try #require(try reader.next())
            #expect(first.path == name && first.isExecutable)
            #expect(try reader.content(bytesMaximum: 100) == Array("hello".utf8))
            #expect(try reader.next()?.kind == .symbolicLink(target: "zhard"))
            #expect(try reader.next()?.kind == .hardLink(to: name))
            #expect(try reader.next() == nil)
        }
    }

    @Test("Names that are not ASCII are read in both notations", arguments: ["gnu", "pax"])
    func unicode(format: String) throws {
        let scratch = try Scratch()
        #expect(scratch.run("printf x > 'größe 😀' && tar --format=\(format) -cf a.tar 'größe 😀'"))

        let reader = try TarReader(bytes: scratch.read("a.tar"))

        #expect(try reader.next()?.path == "größe 😀")
    }

    @Test("An empty archive has no entries, and no bytes are no archive")
    func empty() throws {
        let reader = try TarReader(bytes: RawTar().bytes)

        #expect(try reader.next() == nil)
        #expect(throws: ArchiveError.self) { try readAll([]) }
        #expect(throws: ArchiveError.self) { try readAll(Array("not an archive".utf8)) }
    }

    @Test(
        "Harmless spellings are read as what they mean",
        arguments: [
            (RawTar().file("./a"), ["a"]), (RawTar().file("a//b/./c"), ["a/b/c"]),
            (RawTar().directory("./").directory("./d/").file("d/x"), [".", "d", "d/x"]),
            (RawTar().directory("d").file("d/x").directory("d"), ["d", "d/x", "d"]),
            (RawTar().file("a/b/c").link("a/b/l", to: "../../x"), ["a/b/c", "a/b/l"]),
            (RawTar().file("..a/b..").link("l", to: "./..a/b.."), ["..a/b..", "l"]),
        ] as [(RawTar, [String])])
    func harmless(archive: RawTar, paths: [String]) throws {
        #expect(try readAll(archive.bytes) == paths)
    }

    @Test(
        "Entries that could harm are refused",
        arguments: [
            RawTar().file("/etc/passwd"), RawTar().file("../x"), RawTar().file("a/../../x"), RawTar().file("a/.."),
            RawTar().link("l", to: "/etc"), RawTar().link("l", to: ".."), RawTar().link("a/l", to: "../../x"),
            RawTar().link("l", to: "a/../.."), RawTar().link("l", to: "a/../b"),
            RawTar().link("s", to: ".").file("s/x"), RawTar().link("s", to: "d").link("s/l", to: ".."),
            RawTar().link("s", to: "d").file("s"), RawTar().file("s").link("s", to: "d"),
            RawTar().file("s/x").link("s", to: "d"), RawTar().file("a").file("a"), RawTar().file("a").file("a/b"),
            RawTar().file("a").directory("a"), RawTar().directory("a").file("a"),
            RawTar().hardLink("h", to: "missing"), RawTar().hardLink("h", to: "/etc/passwd"),
            RawTar().hardLink("h", to: "../x"), RawTar().link("s", to: "d").hardLink("h", to: "s"),
            RawTar().entry("dev", type: "3"), RawTar().entry("dev", type: "4"), RawTar().entry("fifo", type: "6"),
            RawTar().link(".", to: "x"), RawTar().file("."),
        ])
    func harmful(archive: RawTar) {
        let error = #expect(throws: ArchiveError.self) { try readAll(archive.bytes) }

        guard case .unsafeEntry = error else {
            Issue.record("unexpected error: \(String(describing: error))")
            return
        }
    }

    @Test(
        "A name that is missing or not UTF-8 is refused",
        arguments: [RawTar().file("\u{FF}bad", isRaw: true), RawTar().link("l", to: "")])
    func badNames(archive: RawTar) {
        let error = #expect(throws: ArchiveError.self) { try readAll(archive.bytes) }

        #expect(error?.description.contains("UTF-8") == true)
    }

    @Test("An archive that is cut anywhere is refused")
    func truncated() throws {
        let whole = RawTar().file("a", content: [UInt8](repeating: 1, count: 700)).directory("d").file(
            "d/b", content: [2])
        let entriesEnd = whole.bytes.count - 1024

        for count in stride(from: 0, through: entriesEnd, by: 37) {
            #expect(throws: ArchiveError.self) { try readAll(Array(whole.bytes.prefix(count))) }
        }
        #expect(throws: ArchiveError.self) { try readAll(Array(whole.bytes.prefix(entriesEnd))) }
        #expect(try readAll(Array(whole.bytes.prefix(entriesEnd + 512))).count == 3)
    }

    @Test("A gzip stream that is cut is refused")
    func truncatedGzip() throws {
        let scratch = try Scratch()
        #expect(scratch.run("head -c 100000 /dev/urandom > f && tar -czf a.tgz f"))
        let whole = try scratch.read("a.tgz")

        for count in [0, 1, 10, 1000, whole.count / 2, whole.count - 200] {
            #expect(throws: ArchiveError.self) { try readAll(Array(whole.prefix(count))) }
        }
    }

    @Test(
        "Each limit is kept, by the sizes that headers claim",
        arguments: [
            ArchiveLimits(entriesMaximum: 1), ArchiveLimits(fileBytesMaximum: 9), ArchiveLimits(totalBytesMaximum: 19),
            ArchiveLimits(pathBytesMaximum: 2), ArchiveLimits(pathDepthMaximum: 1),
        ])
    func limits(limits: ArchiveLimits) {
        let content = [UInt8](repeating: 0, count: 10)
        let archive = RawTar().file("a/b", content: content).file("c", content: content)

        #expect(throws: ArchiveError.self) { try readAll(archive.bytes, limits: limits) }
        #expect(throws: Never.self) { try readAll(archive.bytes) }
    }

    @Test("A bomb behind gzip is refused before it is unpacked")
    func bomb() throws {
        let scratch = try Scratch()
        #expect(scratch.run("truncate -s 300M zeros && tar -cf - zeros | gzip -1 > bomb.tgz && rm zeros"))

        let error = #expect(throws: ArchiveError.self) {
            try readAll(scratch.read("bomb.tgz"), limits: ArchiveLimits(fileBytesMaximum: 200 << 20))
        }

        #expect(error?.description.contains("more than the") == true)
    }

    @Test("More content than the caller wants in memory is refused")
    func contentLimit() throws {
        let reader = try TarReader(bytes: RawTar().file("a", content: [1, 2, 3]).bytes)
        _ = try reader.next()

        #expect(throws: ArchiveError.self) { try reader.content(bytesMaximum: 2) }
    }

    @Test("Mutated archives never trap", arguments: [41, 42] as [UInt64])
    func mutations(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let original = RawTar().file("a/b", content: [1, 2, 3]).link("l", to: "a").hardLink("h", to: "a/b").bytes

        for _ in 0..<500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                guard let index = bytes.indices.randomElement(using: &random) else { break }
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            let header = Int.random(in: 0...2, using: &random) * 512
            RawTar.sign(&bytes, at: header)
            if let paths = try? readAll(bytes) {
                #expect(
                    paths.allSatisfy { !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") }, "seed \(seed)")
            }
        }
    }

    @discardableResult
    private func readAll(_ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits()) throws -> [String] {
        let reader = try TarReader(bytes: bytes, limits: limits)
        var paths: [String] = []
        while let entry = try reader.next() {
            while try reader.nextChunk() != nil {}
            paths.append(entry.path)
        }
        return paths
    }
}

/// An archive made field by field, as an attacker would.
struct RawTar: Sendable, CustomTestStringConvertible {
    private var entries: [UInt8] = []
    private(set) var testDescription = ""

    var bytes: [UInt8] { entries + [UInt8](repeating: 0, count: 1024) }

    func file(_ path: String, content: [UInt8] = [], isRaw: Bool = false) -> RawTar {
        entry(path, type: "0", content: content, isRaw: isRaw)
    }

    func directory(_ path: String) -> RawTar { entry(path, type: "5") }
    func link(_ path: String, to target: String) -> RawTar { entry(path, type: "2", target: target) }
    func hardLink(_ path: String, to target: String) -> RawTar { entry(path, type: "1", target: target) }

    /// - Parameter isRaw: Whether each scalar of the path stands for one byte.
    func entry(
        _ path: String, type: Unicode.Scalar, target: String = "", content: [UInt8] = [], isRaw: Bool = false
    ) -> RawTar {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        put(isRaw ? path.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } : Array(path.utf8), at: 0)
        put("0000644\0".utf8, at: 100)
        put("0000000\0".utf8, at: 108)
        put("0000000\0".utf8, at: 116)
        let size = String(content.count, radix: 8)
        put((String(repeating: "0", count: 11 - size.count) + size + "\0").utf8, at: 124)
        put("00000000000\0".utf8, at: 136)
        put([UInt8(truncatingIfNeeded: type.value)], at: 156)
        put(target.utf8, at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        Self.sign(&block, at: 0)
        var copy = self
        copy.entries += block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        copy.testDescription += " \(type):\(path.debugDescription)→\(target.debugDescription)"
        return copy
    }

    /// Writes a right checksum into the header at an offset.
    static func sign(_ bytes: inout [UInt8], at offset: Int) {
        for index in 148..<156 { bytes[offset + index] = 0x20 }
        let sum = String(bytes[offset..<(offset + 512)].reduce(0) { $0 + Int($1) }, radix: 8)
        let field = Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8)
        bytes.replaceSubrange((offset + 148)..<(offset + 156), with: field)
    }
}

/// A small generator of repeatable random numbers.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
