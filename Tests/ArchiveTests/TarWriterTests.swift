import Archive
import Glibc
import Testing

@Suite("Tar writer")
struct TarWriterTests {
    private static let longName = String(repeating: "long-", count: 40) + "name"

    @Test("GNU tar unpacks what was written, bytes, modes and links")
    func interoperability() throws {
        let scratch = try Scratch()
        let big = [UInt8](repeating: 7, count: 200_001)
        var bytes: [UInt8] = []
        var writer = TarWriter { bytes += $0 }

        try writer.addFile("com.openfaas.docker.config", bytes: Array("{}".utf8))
        try writer.addDirectory("context/")
        try writer.addFile("context/run.sh", bytes: Array("#!/bin/sh\necho hi\n".utf8), isExecutable: true)
        try writer.addFile("context/größe 😀.bin", bytes: big)
        try writer.addFile("context/\(Self.longName)", bytes: [])
        try writer.addSymbolicLink("context/link", target: "run.sh")
        try writer.addSymbolicLink("context/far", target: "../" + Self.longName)
        try writer.finish()
        try scratch.write(bytes, to: "a.tar")

        #expect(scratch.run("tar xf a.tar"))
        #expect(scratch.run("test \"$(context/link)\" = hi && test ! -x com.openfaas.docker.config"))
        #expect(try scratch.read("context/größe 😀.bin") == big)
        #expect(scratch.run("test -f context/\(Self.longName)"))
        #expect(scratch.run("test \"$(readlink context/far)\" = ../\(Self.longName)"))
        #expect(scratch.run("tar --numeric-owner -tvf a.tar | grep -qF 'drwxr-xr-x 0/0'"))
        #expect(scratch.run("TZ=UTC tar -tvf a.tar | grep -vqF 1980-01-02; test $? = 1"))
        #expect(bytes.count % 512 == 0)
    }

    @Test("A tree is written in the order of names and reads back the same")
    func tree() throws {
        let scratch = try Scratch()
        #expect(
            scratch.run(
                "mkdir -p src/b/deep src/a 'src/B' && touch src/a/2 src/a/10 src/b.txt src/b/z && ln -s ../b src/a/l"))
        #expect(scratch.run("printf content > src/b/deep/f && chmod 4755 src/b/z && chmod 600 src/b/deep/f"))
        var bytes: [UInt8] = []
        var writer = TarWriter { bytes += $0 }

        try writer.addTree(scratch.path + "/src", under: "context") { $0 != "B" }
        try writer.finish()

        let reader = try TarReader(bytes: bytes)
        var lines: [String] = []
        while let entry = try reader.next() {
            let content = String(decoding: try reader.content(bytesMaximum: 100), as: UTF8.self)
            lines.append("\(entry.path) \(entry.kind) \(entry.isExecutable) \(content)")
        }
        #expect(
            lines == [
                "context directory false ", "context/a directory false ", "context/a/10 file false ",
                "context/a/2 file false ", #"context/a/l symbolicLink(target: "../b") false "#,
                "context/b directory false ", "context/b/deep directory false ", "context/b/deep/f file false content",
                "context/b/z file true ", "context/b.txt file false ",
            ])
    }

    @Test("The same tree gives the same bytes whatever its times, owners and order on disk")
    func deterministic() throws {
        let scratch = try Scratch()
        #expect(scratch.run("mkdir one two && touch -d 2001-01-01 one/a && touch one/b && chmod 640 one/a"))
        #expect(scratch.run("touch two/b && touch -d 2020-01-01 two/a && chmod 604 two/b"))

        let archives = try ["one", "two"].map { name in
            var bytes: [UInt8] = []
            var writer = TarWriter { bytes += $0 }
            try writer.addTree(scratch.path + "/" + name)
            try writer.finish()
            return bytes
        }

        #expect(archives[0] == archives[1])
    }

    @Test("The archive of one small file is known to the byte")
    func knownBytes() throws {
        var bytes: [UInt8] = []
        var writer = TarWriter { bytes += $0 }
        try writer.addFile("a", bytes: Array("x".utf8))
        try writer.finish()

        let header = String(decoding: bytes.prefix(265), as: UTF8.self).replacing("\0", with: ".")
        #expect(bytes.count == 2048)
        #expect(
            header == "a" + String(repeating: ".", count: 99)
                + "0000644.0000000.0000000.00000000001.02263773600.006143. 0" + String(repeating: ".", count: 100)
                + "ustar.00")
        #expect(bytes[512] == UInt8(ascii: "x"))
        #expect(bytes[513...].allSatisfy { $0 == 0 })
    }

    @Test(
        "A path that no archive should have is refused",
        arguments: [
            "", "/a", "../a", "a/../b", "a\0b", String(repeating: "d/", count: 65), String(repeating: "n", count: 1025),
        ])
    func badPaths(path: String) {
        #expect(throws: ArchiveError.self) {
            var writer = TarWriter { _ in }
            try writer.addFile(path, bytes: [])
        }
    }

    @Test("Each limit is kept")
    func limits() {
        let limits = ArchiveLimits(entriesMaximum: 2, fileBytesMaximum: 10, totalBytesMaximum: 15)

        #expect(throws: ArchiveError.self) {
            var writer = TarWriter(limits: limits) { _ in }
            try writer.addFile("a", bytes: [UInt8](repeating: 0, count: 11))
        }
        #expect(throws: ArchiveError.self) {
            var writer = TarWriter(limits: limits) { _ in }
            try writer.addFile("a", bytes: [UInt8](repeating: 0, count: 10))
            try writer.addFile("b", bytes: [UInt8](repeating: 0, count: 6))
        }
        #expect(throws: ArchiveError.self) {
            var writer = TarWriter(limits: limits) { _ in }
            for name in ["a", "b", "c"] { try writer.addDirectory(name) }
        }
    }

    @Test("A pipe, a link given as a file, and a missing file are refused")
    func badSources() throws {
        let scratch = try Scratch()
        #expect(scratch.run("mkdir t && mkfifo t/pipe && ln -s /etc/passwd link"))

        for name in ["t/pipe", "link", "missing", "t"] {
            #expect(throws: ArchiveError.self) {
                var writer = TarWriter { _ in }
                try writer.addFile("a", from: scratch.path + "/" + name)
            }
        }
        #expect(throws: ArchiveError.self) {
            var writer = TarWriter { _ in }
            try writer.addTree(scratch.path + "/t")
        }
    }

    @Test(
        "A file that changes its size while it is read is noticed",
        arguments: ["truncate -s 1 f", "truncate -s 300000 f"])
    func changing(command: String) throws {
        let scratch = try Scratch()
        try scratch.write([UInt8](repeating: 1, count: 200_000), to: "f")
        var pieces = 0

        #expect(throws: ArchiveError.sourceChanged(path: "f")) {
            var writer = TarWriter { _ in
                pieces += 1
                if pieces == 2 { _ = scratch.run(command) }
            }
            try writer.addFile("f", from: scratch.path + "/f")
        }
    }

    @Test("Content that comes in pieces has the announced size, or is refused", arguments: [2, 3, 4])
    func pieces(size: Int) throws {
        var pieced: [UInt8] = []
        var whole: [UInt8] = []
        var writer = TarWriter { pieced += $0 }
        var other = TarWriter { whole += $0 }
        try other.addFile("a", bytes: Array("xyz".utf8), isExecutable: true)
        func add() throws {
            try writer.addFile("a", size: size, isExecutable: true) { next in
                try next(Array("xy".utf8))
                try next(Array("z".utf8))
            }
        }

        if size == 3 {
            try add()
            #expect(pieced == whole)
        } else {
            #expect(throws: ArchiveError.sourceChanged(path: "a")) { try add() }
        }
    }

    @Test("An archive can go straight to a file")
    func toFile() throws {
        let scratch = try Scratch()
        let descriptor = open(scratch.path + "/a.tar", O_CREAT | O_RDWR, 0o600)
        defer { close(descriptor) }

        var writer = TarWriter(fileDescriptor: descriptor)
        try writer.addFile("a", bytes: Array("hello".utf8))
        try writer.finish()

        lseek(descriptor, 0, SEEK_SET)
        let reader = try TarReader(fileDescriptor: descriptor)
        #expect(try reader.next()?.path == "a")
        #expect(try reader.content(bytesMaximum: 5) == Array("hello".utf8))
        #expect(try reader.next() == nil)
        #expect(throws: ArchiveError.self) {
            var broken = TarWriter(fileDescriptor: -1)
            try broken.addDirectory("a")
        }
    }
}
