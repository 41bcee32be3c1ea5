import Glibc
import JSON
import Synchronization
import Testing
import Timing

@testable import KubernetesClient

@Suite("Credentials that change", .timeLimit(.minutes(10)))
struct CredentialTests {
    private let start = ContinuousClock.now

    // MARK: Token files

    @Test("A token file is read again after fifty seconds, and a bad reading keeps the last good token")
    func tokenFileLifetime() {
        var cache = TokenFileCache()
        #expect(cache.isDue(at: start))
        #expect(cache.credential == nil)

        let wasTaken = cache.take(Array(" one\n".utf8), at: start)
        let isDueSoon = cache.isDue(at: start + .seconds(49))
        let isDueLater = cache.isDue(at: start + .seconds(50))
        let badReadings = [nil, Array("".utf8), Array(" \n".utf8), Array("a b".utf8), Array("a\u{1}".utf8)].map {
            cache.take($0, at: start + .seconds(50))
        }

        #expect(wasTaken)
        #expect(!isDueSoon && isDueLater)
        #expect(badReadings.allSatisfy { !$0 })
        #expect(cache.credential?.authorization?.value == "Bearer one")
        #expect(cache.isDue(at: start + .seconds(50)))
    }

    @Test("A refused token is read again at once, unless it was read after the request began")
    func tokenFileRejected() {
        var old = TokenFileCache()
        _ = old.take(Array("one".utf8), at: start)
        var new = old

        old.reject(requestSentAt: start + .seconds(1))
        new.reject(requestSentAt: start - .seconds(1))

        #expect(old.isDue(at: start + .seconds(1)))
        #expect(!new.isDue(at: start + .seconds(1)))
        #expect(old.credential?.authorization?.value == "Bearer one")
    }

    @Test("Only another token makes another generation")
    func tokenGenerations() throws {
        var cache = TokenFileCache()
        _ = cache.take(Array("one".utf8), at: start)
        let first = try #require(cache.credential).generation
        _ = cache.take(Array("one\n".utf8), at: start + .seconds(60))
        let same = try #require(cache.credential).generation
        _ = cache.take(Array("two".utf8), at: start + .seconds(120))
        let second = try #require(cache.credential).generation

        #expect(first == same)
        #expect(second != first)
    }

    @Test("A token file that is missing from the start is an error, unless there is a fallback")
    func tokenFileMissing() async throws {
        let surroundings = ConfigurationFixture().surroundings
        let without = TokenFileCredential(path: "/t", fallback: nil, surroundings: surroundings)
        let with = TokenFileCredential(path: "/t", fallback: SecretText("spare"), surroundings: surroundings)

        await #expect(throws: KubernetesError.self) { try await without.current() }
        #expect(try await with.current().authorization?.value == "Bearer spare")
    }

    // MARK: Plugins

    private func output(_ status: String, version: String = "v1") -> [UInt8] {
        let text =
            #"{"apiVersion":"client.authentication.k8s.io/\#(version)","kind":"ExecCredential","status":\#(status)}"#
        return Array(text.utf8)
    }

    @Test("What a plugin prints is read in full")
    func execOutput() throws {
        let credential = try ExecCredential(
            output: output(
                #"{"token":"t","clientCertificateData":"c","clientKeyData":"k","expirationTimestamp":"2030-01-01T00:00:00Z"}"#
            ), apiVersion: "client.authentication.k8s.io/v1")

        #expect(credential.token?.value == "t")
        #expect(credential.identity == PEMIdentity(certificate: Array("c".utf8), key: Array("k".utf8)))
        #expect(credential.expiration == Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
    }

    @Test(
        "A plugin's answer that breaks the rules is refused without showing it",
        arguments: [
            #"{}"#, #"{"token":""}"#, #"{"clientCertificateData":"hunter2"}"#, #"{"clientKeyData":"hunter2"}"#,
            #"{"token":"t","clientKeyData":"hunter2"}"#, #"null"#, #"{"token":5}"#,
            #"{"token":"hunter2","expirationTimestamp":"tomorrow"}"#,
        ])
    func badExecOutput(status: String) {
        let error = #expect(throws: KubernetesError.self) {
            try ExecCredential(output: output(status), apiVersion: "client.authentication.k8s.io/v1")
        }

        #expect(!"\(String(describing: error))".contains("hunter2"))
    }

    @Test("A plugin has to answer in the version it was asked in")
    func execVersion() {
        #expect(throws: KubernetesError.self) {
            try ExecCredential(
                output: output(#"{"token":"t"}"#, version: "v1beta1"), apiVersion: "client.authentication.k8s.io/v1")
        }
        #expect(throws: KubernetesError.self) {
            try ExecCredential(output: Array("token".utf8), apiVersion: "client.authentication.k8s.io/v1")
        }
    }

    @Test("However many ask, the plugin runs once; a refusal lets it run again, once per credential")
    func execSingleFlight() async throws {
        let runs = Atomic<Int>(0)
        let source = ExecCredentialSource {
            let run = runs.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
            await Task.yield()
            return try ExecCredential(
                output: Array(
                    #"{"apiVersion":"v","kind":"ExecCredential","status":{"token":"t\#(run)"}}"#.utf8), apiVersion: "v")
        }

        let tokens = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await source.current().authorization?.value ?? "" } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        let refused = try await source.current()
        await source.reject(refused, sentAt: .now)
        await source.reject(refused, sentAt: .now)
        let renewed = try await source.current()
        await source.reject(refused, sentAt: .now)
        let kept = try await source.current()

        #expect(tokens == ["Bearer t1"])
        #expect(renewed.authorization?.value == "Bearer t2")
        #expect(renewed.generation != refused.generation)
        #expect(kept.authorization?.value == "Bearer t2")
    }

    @Test("A credential is renewed when its time has come, and a failed run is tried anew by the next request")
    func execExpires() async throws {
        let time = Mutex(try #require(Timestamp(rfc3339: "2029-12-31T23:59:59Z")))
        let runs = Atomic<Int>(0)
        let source = ExecCredentialSource(now: { time.withLock { $0 } }) {
            let run = runs.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
            if run == 2 { throw KubernetesError.configuration("no luck") }
            let status = #"{"token":"t\#(run)","expirationTimestamp":"\#(run == 1 ? 2030 : 2031)-01-01T00:00:00Z"}"#
            return try ExecCredential(
                output: Array(#"{"apiVersion":"v","kind":"ExecCredential","status":\#(status)}"#.utf8), apiVersion: "v")
        }

        let first = try await source.current()
        time.withLock { $0 = $0 + .seconds(1) }
        await #expect(throws: KubernetesError.self) { try await source.current() }
        let second = try await source.current()

        #expect(first.authorization?.value == "Bearer t1")
        #expect(second.authorization?.value == "Bearer t3")
    }

    @Test("A plugin is told what the protocol says, and its cluster only when it asks")
    func execInput() throws {
        var plugin = ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1", command: "x", arguments: [], environment: [],
            installHint: "",
            providesClusterInfo: false, interactiveMode: .never)
        let without = try JSONReader().parse(ExecCredential.input(plugin, isInteractive: false, cluster: ["a": 1]))
        plugin.providesClusterInfo = true
        let with = try JSONReader().parse(ExecCredential.input(plugin, isInteractive: true, cluster: ["a": 1]))

        #expect(
            without == [
                "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                "spec": ["interactive": false],
            ])
        #expect(with["spec"] == ["interactive": true, "cluster": ["a": 1]])
    }
}

@Suite("Running credential plugins", .timeLimit(.minutes(10)))
struct ExecProcessTests {
    private func process(
        _ script: String, environment: [(name: String, value: String)] = []
    ) -> ExecProcess {
        let plugin = ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1", command: "sh", arguments: ["-c", script],
            environment: environment, installHint: "install \u{1B}[31mit", providesClusterInfo: false,
            interactiveMode: .never)
        return ExecProcess(plugin: plugin, isInteractive: false, info: #"{"kind":"ExecCredential"}"#)
    }

    @Test("A plugin found in PATH gets its arguments and variables, an empty input, and our variables")
    func runs() async throws {
        let script = #"printf '%s|%s|%s|' "$KUBERNETES_EXEC_INFO" "$EXTRA" "${PATH:+path}"; cat"#

        let output = try await process(script, environment: [("EXTRA", "given")]).run()

        #expect(String(decoding: output, as: UTF8.self) == #"{"kind":"ExecCredential"}|given|path|"#)
    }

    @Test(
        "A plugin that fails is an error with its exit code",
        arguments: [("exit 3", "exit code 3"), ("kill -9 $$", "signal 9")])
    func fails(script: String, expected: String) async throws {
        let error = await #expect(throws: KubernetesError.self) { try await process(script).run() }

        #expect("\(String(describing: error))".contains(expected))
    }

    @Test("A plugin that prints without end is ended")
    func floods() async throws {
        let error = await #expect(throws: KubernetesError.self) {
            try await process("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done").run()
        }

        #expect("\(String(describing: error))".contains("too much"))
    }

    @Test("A missing plugin is an error with the hint, without its control characters")
    func missing() async throws {
        let plugin = ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1", command: "farebox-no-such-plugin", arguments: [],
            environment: [], installHint: "install \u{1B}[31mit", providesClusterInfo: false, interactiveMode: .never)

        let error = await #expect(throws: KubernetesError.self) {
            try await ExecProcess(plugin: plugin, isInteractive: false, info: "").run()
        }

        #expect("\(error, default: "")".hasSuffix("\ninstall [31mit"))
    }

    @Test("A plugin that needs a terminal is not run without one")
    func needsTerminal() async throws {
        let plugin = ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1", command: "touch", arguments: ["/never"], environment: [],
            installHint: "", providesClusterInfo: false, interactiveMode: .always)
        let source = ExecCredentialSource(plugin, cluster: [:], hasTerminal: false)

        await #expect(throws: KubernetesError.self) { try await source.current() }
    }
}
