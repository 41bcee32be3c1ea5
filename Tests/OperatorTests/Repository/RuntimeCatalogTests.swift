import Builds
import FoundationEssentials
import KubernetesTypes
import Synchronization
import Testing
import Timing
import YAML

@testable import Operator

@Suite("The catalog of runtimes")
struct RuntimeCatalogTests {
    private struct Away: Error {}

    private static func map(_ name: String, version: String = "1", _ data: [String: String]) -> ConfigMap {
        var metadata = ObjectMeta(
            name: "runtime-" + name, namespace: "farebox-system", labels: [RuntimeConfigMap.label: name])
        metadata.resourceVersion = version
        return ConfigMap(metadata: metadata, data: data)
    }

    private static func runtime(_ name: String, _ dockerfile: String) throws -> Runtime {
        try RuntimeConfigMap.runtime(of: map(name, ["Dockerfile": dockerfile]))
    }

    private static let atOnce = Backoff(base: .nanoseconds(1), ceiling: .nanoseconds(1))

    @Test("holds what its sources hold, ConfigMaps over all others")
    func layers() async throws {
        let first = try Self.runtime("a", "first")
        let second = try Self.runtime("a", "second")
        let other = try Self.runtime("b", "other")
        let maps = Mutex([Self.map("b", ["Dockerfile": "mine"]), Self.map("broken", ["README.md": ""])])
        let source = RuntimeCatalogSource(
            origins: [
                RuntimeOrigin(name: "one", lifetime: nil) { FoundRuntimes(runtimes: [first, other]) },
                RuntimeOrigin(name: "two", lifetime: nil) { FoundRuntimes(runtimes: [second]) },
            ]
        ) { maps.withLock { $0 } }

        let before = try await source.catalog()
        maps.withLock {
            $0 = [Self.map("b", version: "2", ["Dockerfile": "changed"]), Self.map("c", ["Dockerfile": "new"])]
        }
        let after = try await source.catalog()

        #expect(before.names == ["a", "b"])
        #expect(before.runtime("a") == second)
        #expect(before.runtime("b")?.files.first?.bytes == Array("mine".utf8))
        #expect(after.names == ["a", "b", "c"])
        #expect(after.runtime("b")?.files.first?.bytes == Array("changed".utf8))
    }

    @Test("has a gap for a source that cannot be read, and tries it again")
    func gaps() async throws {
        let runtime = try Self.runtime("a", "x")
        let tries = Mutex(0)
        let source = RuntimeCatalogSource(
            origins: [
                RuntimeOrigin(name: "far away", lifetime: nil) {
                    let number = tries.withLock { tries in
                        tries += 1
                        return tries
                    }
                    if number < 3 { throw Away() }
                    return FoundRuntimes(runtimes: [runtime])
                }
            ], backoff: Self.atOnce)

        let first = try await source.catalog()
        let second = try await source.catalog()
        let third = try await source.catalog()
        let fourth = try await source.catalog()

        #expect(first.names == [] && second.names == [])
        #expect(first.gaps.map(\.source) == ["far away"])
        #expect(third.names == ["a"] && third.gaps == [])
        #expect(fourth == third)
        #expect(tries.withLock { $0 } == 3)
    }

    @Test("keeps what it had of a source that can no longer be read")
    func keeps() async throws {
        let runtime = try Self.runtime("a", "x")
        let isAway = Mutex(false)
        let source = RuntimeCatalogSource(
            origins: [
                RuntimeOrigin(name: "volume", lifetime: .zero) {
                    if isAway.withLock({ $0 }) { throw Away() }
                    return FoundRuntimes(runtimes: [runtime])
                }
            ], backoff: Self.atOnce)

        _ = try await source.catalog()
        isAway.withLock { $0 = true }
        let catalog = try await source.catalog()

        #expect(catalog.names == ["a"])
        #expect(catalog.gaps.count == 1)
    }

    @Test("reads a source once for all who ask at the same time")
    func together() async throws {
        let reads = Mutex(0)
        let source = RuntimeCatalogSource(origins: [
            RuntimeOrigin(name: "slow", lifetime: nil) {
                reads.withLock { $0 += 1 }
                for _ in 0..<100 { await Task.yield() }
                return FoundRuntimes(runtimes: [])
            }
        ])

        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try? await source.catalog() } }
        }

        #expect(reads.withLock { $0 } == 1)
    }

    @Test(
        "is configured with digests and addresses that cannot change",
        arguments: [
            ("git: [{url: 'https://git.example.com/a/b', commit: main}]", "runtimes.git[0].commit"),
            (
                "git: [{url: 'ftp://git.example.com/a/b', commit: \(String(repeating: "a", count: 40))}]",
                "runtimes.git[0].url"
            ),
            ("oci: [{image: 'registry.example.com/runtimes:latest'}]", "runtimes.oci[0].image"),
            ("folder: runtimes", "runtimes.folder"),
        ])
    func settings(text: String, problem: String) throws {
        let settings = try YAMLReader(unknownKeys: .refuse).decode(RuntimeSettings.self, from: Array(text.utf8))

        let problems = settings.validate(allowsPlainHTTP: false)

        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix(problem) == true, "\(problems)")
    }

    @Test("needs no configuration, and takes a full one")
    func full() throws {
        let commit = String(repeating: "0a", count: 20)
        let digest = "sha256:" + String(repeating: "0a", count: 32)
        let text = """
            folder: /var/lib/runtimes
            git: [{url: 'https://git.example.com/a/b', commit: \(commit), path: template, branch: stable}]
            oci: [{image: 'registry.example.com/runtimes@\(digest)', path: set}]
            """

        let settings = try YAMLReader(unknownKeys: .refuse).decode(RuntimeSettings.self, from: Array(text.utf8))

        #expect(settings.validate(allowsPlainHTTP: false) == [])
        #expect(settings.git.first?.path == "template")
        #expect(RuntimeSettings().validate(allowsPlainHTTP: false) == [])
    }
}
