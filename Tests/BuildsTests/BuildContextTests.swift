import Archive
import CRDs
import Cryptography
import Glibc
import JSON
import Testing

@testable import Builds

@Suite("A build context")
struct BuildContextTests {
    private let image = "registry:5000/alice/shop-cart:latest-main-0a1b2c3"

    private func write(
        _ tree: MemoryTree, handler: String = "cart", arguments: [String: String] = [:], image: String? = nil,
        limits: BuildContext.Limits = BuildContext.Limits(), to folder: TestFolder
    ) async throws -> BuildContext {
        let function = StackFunction(name: "cart", runtime: "dockerfile", handler: handler, image: "cart")
        return try await BuildContext.write(
            function, arguments: arguments, image: ImageReference(parsing: image ?? self.image), from: tree,
            to: folder.path + "/context.tar", limits: limits)
    }

    /// What the machine's own tar makes of it: a line for each entry, as `tar -tv` prints it, without the time.
    private func list(_ folder: TestFolder) async throws -> [String] {
        let result = try await ChildProcess(
            program: "/usr/bin/env", arguments: ["tar", "-tvf", folder.path + "/context.tar", "--numeric-owner"],
            environment: ["PATH": GitHost.path, "LC_ALL": "C.UTF-8"], workingDirectory: folder.path,
            timeout: .seconds(120)
        ).run()
        #expect(result.status == 0, "\(result.errors)")
        return String(decoding: result.output, as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            return ([parts[0]] + parts.dropFirst(5)).joined(separator: " ")
        }
    }

    @Test("holds the configuration and the function's folder, and nothing else of the tree")
    func layout() async throws {
        let folder = try TestFolder()
        let tree = MemoryTree([
            ("stack.yml", .file, []), ("cart/Dockerfile", .file, Array("FROM scratch".utf8)),
            ("cart/bin/run", .executable, [1]), ("cart/bin/link", .link, Array("../Dockerfile".utf8)),
            ("cart/ünï/" + String(repeating: "long", count: 30), .file, [2]), ("cartoon/other", .file, []),
        ])

        let context = try await write(tree, to: folder)

        #expect(
            try await list(folder) == [
                "-rw-r--r-- com.openfaas.docker.config", "drwxr-xr-x context/", "-rw-r--r-- context/Dockerfile",
                "drwxr-xr-x context/bin/", "lrwxrwxrwx context/bin/link -> ../Dockerfile",
                "-rwxr-xr-x context/bin/run", "drwxr-xr-x context/ünï/",
                "-rw-r--r-- context/ünï/" + String(repeating: "long", count: 30),
            ])
        let bytes = try Vectors.read(folder.path + "/context.tar")
        #expect(context.digest == SHA256.hash(of: bytes).hex)
        #expect(context.sizeBytes == bytes.count)
        #expect(context.fileCount == 4)
    }

    @Test("leaves behind what .dockerignore names, but never the Dockerfile")
    func ignore() async throws {
        let folder = try TestFolder()
        let tree = MemoryTree([
            "cart/Dockerfile": "FROM scratch", "cart/.dockerignore": "*\n!main.c\n", "cart/main.c": "",
            "cart/secret.pem": "",
        ])

        _ = try await write(tree, to: folder)

        #expect(
            try await list(folder).map { $0.split(separator: " ")[1] } == [
                "com.openfaas.docker.config", "context/", "context/Dockerfile", "context/main.c",
            ])
    }

    @Test("is the same for the same files, and its inputs do not change with the image's name")
    func digests() async throws {
        let folder = try TestFolder()
        let tree = MemoryTree(["cart/Dockerfile": "FROM scratch", "other": "1"])
        let elsewhere = MemoryTree(["cart/Dockerfile": "FROM scratch", "other": "2"])
        let changed = MemoryTree(["cart/Dockerfile": "FROM scratch\n", "other": "1"])

        let first = try await write(tree, to: folder)
        let again = try await write(elsewhere, to: folder)
        let renamed = try await write(tree, image: "registry:5000/a/b:c", to: folder)
        let argument = try await write(tree, arguments: ["A": "1"], to: folder)
        let other = try await write(changed, to: folder)

        #expect(first == again)
        #expect(renamed.inputsDigest == first.inputsDigest)
        #expect(renamed.digest != first.digest)
        #expect(Set([first, argument, other].map(\.inputsDigest)).count == 3)
    }

    @Test("of the whole repository works")
    func root() async throws {
        let folder = try TestFolder()

        let context = try await write(MemoryTree(["Dockerfile": "FROM scratch", "a/b": ""]), handler: "", to: folder)

        #expect(context.fileCount == 2)
    }

    @Test(
        "with links that lead out of the folder is refused",
        arguments: ["/etc/passwd", "..", "../other", "a/../../x", "bin/../../x", "", "./../.././y"])
    func links(target: String) async throws {
        let folder = try TestFolder()
        let tree = MemoryTree([
            ("cart/Dockerfile", .file, []), ("cart/link", .link, Array(target.utf8)), ("other", .file, []),
        ])

        let failure = await #expect(throws: BuildFailure.self) { try await write(tree, to: folder) }

        #expect(failure?.reason == .contextInvalid)
        #expect(failure?.message.contains("cart/link") == true)
    }

    @Test("that cannot be made says why")
    func refused() async throws {
        let folder = try TestFolder()
        var small = BuildContext.Limits()
        small.bytesMaximum = 10
        small.filesMaximum = 2
        let cases: [(MemoryTree, BuildContext.Limits, RepositoryReason)] = [
            (MemoryTree(["stack.yml": ""]), small, .contextInvalid),
            (MemoryTree(["cart/main.c": ""]), small, .dockerfileMissing),
            (MemoryTree([("cart/Dockerfile", .link, Array("x".utf8))]), small, .dockerfileMissing),
            (MemoryTree(["cart/Dockerfile": "FROM scratch"]), small, .contextTooLarge),
            (MemoryTree(["cart/Dockerfile": "", "cart/a": "", "cart/b": ""]), small, .contextTooLarge),
            (MemoryTree([("cart/Dockerfile", .file, []), ("cart/sub", .submodule, [])]), small, .contextInvalid),
            (MemoryTree(["cart/Dockerfile": "", "cart/.dockerignore": "[a"]), small, .contextInvalid),
        ]
        for (tree, limits, reason) in cases {
            let failure = await #expect(throws: BuildFailure.self) { try await write(tree, limits: limits, to: folder) }
            #expect(failure?.reason == reason, "\(failure?.message ?? "")")
        }
    }
}
