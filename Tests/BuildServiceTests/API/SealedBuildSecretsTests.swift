import Cryptography
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import RawSockets
import Testing

@testable import BuildService

@Suite("Sealed build secrets", .timeLimit(.minutes(10)))
struct SealedBuildSecretsTests {
    private static let key = (0..<32).map { UInt8($0) }
    private static let former = (40..<72).map { UInt8($0) }
    private static let stranger = (70..<102).map { UInt8($0) }
    private static let sender = (100..<132).map { UInt8($0) }
    private static let keyFile = text(key) + "\n"

    private static func text(_ key: [UInt8]) -> String { Base64.encode(key, .standard) }

    /// What `faas-cli secret seal` writes.
    static func sealed(
        _ secrets: [String: [UInt8]], for key: [UInt8] = key, change: (String) -> String = { $0 }
    ) throws -> String {
        let publicKey = try #require(NaClBox.publicKey(of: key))
        let senderKey = try #require(NaClBox.publicKey(of: sender))
        let text = Base64.encode(publicKey, .standard)
        var file = "version: v1\nalgorithm: nacl/box\nkey_id: \(text.prefix(8))\n"
        file += "public_key: \(Base64.encode(senderKey, .standard))\nsecrets:\n"
        for (name, value) in secrets.sorted(by: { $0.key < $1.key }) {
            let nonce = randomBytes(NaClBox.nonceBytes)
            let box = try #require(NaClBox.seal(value, nonce: nonce, to: publicKey, privateKey: sender))
            file += "  \(name): \(Base64.encode(nonce + box, .standard))\n"
        }
        return change(file)
    }

    private static func request(_ sealed: String) -> RequestTar {
        var tar = RequestTar.good()
        tar.file("com.openfaas.secrets", sealed, mode: "0000600")
        return tar
    }

    private static func pair(_ key: [UInt8]) throws -> BuildSecretKeys.Pair {
        try #require(BuildSecretKeys.Pair(text: text(key) + "\n"))
    }

    @Test("are opened by the key they were sealed for, the former one included")
    func opened() throws {
        let keys = BuildSecretKeys(try Self.pair(Self.key), former: try Self.pair(Self.former))
        let secrets: [String: [UInt8]] = ["npmrc": Array("token\n".utf8), "a.B_c-1": [0, 255], "empty": []]

        let (present, former) = (
            try keys.open(Array(Self.sealed(secrets).utf8)),
            try keys.open(Array(Self.sealed(secrets, for: Self.former).utf8))
        )

        #expect(present == secrets)
        #expect(former == secrets)
    }

    @Test(
        "are opened under an id that their sender chose, or none, as earlier clients let them",
        arguments: ["key_id: my-key-of-2026\n", "", "key_id: \"\"\n"])
    func otherID(line: String) throws {
        let keys = BuildSecretKeys(try Self.pair(Self.key), former: try Self.pair(Self.former))
        for key in [Self.key, Self.former, Self.stranger] {
            let file = try Self.sealed(["npmrc": [1, 2, 3]], for: key) { text in
                text.split(separator: "\n").filter { !$0.hasPrefix("key_id") }.map { $0 + "\n" }.joined() + line
            }

            let secrets = try? keys.open(Array(file.utf8))

            #expect(secrets == (key == Self.stranger ? nil : ["npmrc": [1, 2, 3]]))
        }
    }

    @Test(
        "that are not whole are refused with their reason",
        arguments: [
            ("v1", "v2", "version"), ("nacl/box", "nacl/other", "version"),
            ("public_key: ", "public_key: AAAA", "sender"), ("  npmrc: ", "  npmrc: AAAA", "npmrc cannot be opened"),
            ("npmrc", "a/b", "a secret's name"), ("secrets:", "secrets: 1\nx:", "sender"), ("version", "{", "no YAML"),
        ])
    func refused(part: String, by other: String, reason: String) throws {
        let keys = BuildSecretKeys(try Self.pair(Self.key))
        let file = try Self.sealed(["npmrc": [1, 2, 3]]) { text in
            guard let range = text.firstRange(of: part) else { return text }
            return text[..<range.lowerBound] + other + text[range.upperBound...]
        }

        let refusal = #expect(throws: BuildRefusal.self) { try keys.open(Array(file.utf8)) }

        #expect(refusal?.message.contains(reason) == true, "\(refusal?.message ?? "")")
    }

    @Test(
        "reach the steps of a build by its Secret, and neither the context nor the Job nor the log",
        arguments: [key, former])
    func built(sealedFor key: [UInt8]) async throws {
        let files = ["key": Self.keyFile, "key.former": Self.text(Self.former)]
        try await BuildDeskUnderTest.with(secretKeys: files) { desk in
            let tar = Self.request(try Self.sealed(["npmrc": Array("hunter22".utf8)], for: key))

            let answer = Task { try await desk.post(tar, streams: true) }
            let job = try await desk.job(1)
            let secret = try await desk.secret(of: job)
            try await desk.finish(job, log: "#1 [1/1] RUN cat\n#1 0.1 it is hunter22\n")
            let text = String(decoding: try await answer.value.body, as: UTF8.self)

            #expect(secret["step.npmrc"] == Array("hunter22".utf8))
            let arguments = job.spec.template.spec.containers.first?.args ?? []
            #expect(arguments.contains("id=npmrc,src=/run/build-secrets/step.npmrc"))
            #expect(!JSONWriter().string(try job.manifest()).contains("hunter22"))
            #expect(text.contains("it is ***") && !text.contains("hunter22"), "\(text)")
            let artifact = try desk.artifact(try #require(desk.artifacts.first))
            #expect(!String(decoding: artifact, as: UTF8.self).contains("com.openfaas.secrets"))
        }
    }

    @Test("are one build when the same ones are sealed anew, and another when they changed")
    func identity() async throws {
        try await BuildDeskUnderTest.with(secretKeys: ["key": Self.keyFile]) { desk in
            let requests = try ["one", "one", "two"].map {
                Self.request(try Self.sealed(["npmrc": Array($0.utf8)]))
            }

            // All of them before the first ends: what ended is built again unless the registry has it.
            var answers: [HTTPClientStream] = []
            for tar in requests { answers.append(try await desk.open(tar)) }
            for count in 1...2 { try await desk.finish(try await desk.job(count)) }
            for answer in answers {
                #expect(try desk.lines(try await answer.collect(bytesMaximum: 1 << 20)).last?["status"] == "success")
            }
            let ids = answers.map { $0.headers["X-Build-Id"] }

            #expect(requests[0].bytes != requests[1].bytes)
            #expect(ids[0] == ids[1] && ids[0] != ids[2])
            #expect(try await desk.jobs().count == 2)
        }
    }

    @Test("without which a Job was left end it at once as interrupted, and the same build sent again gets through")
    func lost() async throws {
        let api = MemoryAPI()
        let tar = Self.request(try Self.sealed(["npmrc": Array("hunter22".utf8)]))
        var id = ""
        try await BuildDeskUnderTest.with(api: api, secretKeys: ["key": Self.keyFile]) { desk in
            let answer = Task { try await desk.post(tar, streams: true) }
            let job = try await desk.job(1)
            id = try #require(job.metadata.labels[BuildJobs.idLabel])
            _ = try await desk.secret(of: job)
            await desk.stop()
            _ = try await answer.value
            // As if the process had ended between the two.
            try await api.delete(Secret.self, job.key)
        }
        try await BuildDeskUnderTest.with(api: api, secretKeys: ["key": Self.keyFile]) { desk in
            var last = try desk.lines(try await desk.get("/build/\(id)", streams: true)).last
            #expect(last?["status"] == "failed" && last?["interrupted"] == true, "\(String(describing: last))")
            #expect(try await desk.jobs().isEmpty)

            let answer = Task { try await desk.post(tar, streams: true) }
            try await desk.finish(try await desk.job(1))
            last = try desk.lines(try await answer.value).last

            #expect(last?["status"] == "success")
        }
    }

    @Test("of a build that an earlier process began are masked in its log, too")
    func adopted() async throws {
        let api = MemoryAPI()
        let tar = Self.request(try Self.sealed(["npmrc": Array("hunter22".utf8)]))
        try await BuildDeskUnderTest.with(api: api, secretKeys: ["key": Self.keyFile]) { desk in
            let answer = Task { try await desk.post(tar, streams: true) }
            _ = try await desk.secret(of: try await desk.job(1))
            await desk.stop()
            _ = try await answer.value
        }
        try await BuildDeskUnderTest.with(api: api, secretKeys: ["key": Self.keyFile]) { desk in
            let job = try await desk.job(1)
            let id = try #require(job.metadata.labels[BuildJobs.idLabel])
            let answer = Task { try await desk.get("/build/\(id)", streams: true) }
            try await desk.finish(job, log: "#1 [1/1] RUN cat\n#1 0.1 it is hunter22\n")

            let text = String(decoding: try await answer.value.body, as: UTF8.self)

            #expect(text.contains("it is ***") && !text.contains("hunter22"), "\(text)")
            #expect(text.contains("\"success\""))
        }
    }

    @Test("are told of by the present key, also while a former one is known")
    func publicKey() async throws {
        let files = ["key": Self.keyFile, "key.former": Self.text(Self.former)]
        try await BuildDeskUnderTest.with(secretKeys: files) { desk in
            let response = try await desk.get("/publickey")
            let told = try JSONReader().parse(response.body)

            #expect(response.status == .ok)
            #expect(told["algorithm"] == "nacl/box")
            let text = try #require(told["public_key"]?.stringValue)
            #expect(Base64.decode(text, .standard) == NaClBox.publicKey(of: Self.key))
            #expect(told["key_id"]?.stringValue == String(text.prefix(8)))
        }
    }

    @Test("that are damaged or for another key are refused, and leave nothing on the disk", arguments: [true, false])
    func damaged(isForAnother: Bool) async throws {
        try await BuildDeskUnderTest.with(secretKeys: ["key": Self.keyFile]) { desk in
            let tar = Self.request(
                try Self.sealed(["npmrc": [1, 2, 3]], for: isForAnother ? Self.stranger : Self.key) { text in
                    isForAnother ? text : text.replacing("npmrc: ", with: "npmrc: AAAA")
                })

            let whole = try await desk.post(tar)
            let stream = try await desk.post(tar, streams: true)

            let reason = isForAnother ? "another key" : "npmrc cannot be opened"
            #expect(whole.status == .badRequest)
            #expect(try JSONReader().parse(whole.body)["error"]?.stringValue?.contains(reason) == true)
            #expect(stream.status == .ok)
            #expect(try desk.lines(stream).last?["status"] == "failed")
            #expect(await eventually { desk.folder.names(in: "artifacts").isEmpty })
            #expect(try await desk.jobs().isEmpty)
        }
    }

    @Test("are not told of without a key, and nothing is wrong then")
    func withoutKey() async throws {
        try await BuildDeskUnderTest.with { desk in
            let told = try await desk.get("/publickey")
            let ready = try await desk.get("/ready")

            #expect(told.status == .notFound)
            #expect(ready.status == .ok)
        }
    }

    @Test(
        "with a wrong key of the builder are refused with what is wrong, which /ready says as well",
        arguments: [
            (["key": "no base64!"], "32 bytes in base64"), (["key": "QUJD"], "32 bytes in base64"),
            (["key": ""], "32 bytes in base64"),
            (["key": keyFile, "key.former": "QUJD"], "key.former must hold 32 bytes"),
            (["private.key": keyFile], "but private.key"),
        ])
    func wrongKey(files: [String: String], reason: String) async throws {
        let keys = try StoreFolder()
        for (name, text) in files { try keys.write(Array(text.utf8), to: name) }
        try await BuildDeskUnderTest.with({ $0.buildSecretKeyPath = keys.path + "/key" }, isReady: false) { desk in
            let told = try await desk.get("/publickey")
            let ready = try await desk.get("/ready")
            let sealed = try await desk.post(Self.request(try Self.sealed(["npmrc": [1]])))
            let plain = Task { try await desk.post(RequestTar.good()) }
            try await desk.finish(try await desk.job(1))

            for response in [told, ready, sealed] {
                #expect(response.status == .serviceUnavailable)
                let text = String(decoding: response.body, as: UTF8.self)
                #expect(text.contains(reason), "\(text)")
            }
            #expect(try await plain.value.status == .ok)
        }
    }
}
