import CRDs
import Glibc
import HTTP
import Testing
import Timing

@testable import Builds

/// What every store of logs does, whatever is below it.
enum LogStoreScenario: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case givesBackWhatWasStored
    case keepsTheNewestOfAKey
    case keepsOwnersApart
    case listsAndDeletesBelowAPrefix
    case sweepsByAgeAndSize
    case refusesWhatIsTooLarge
    case takesManyAtOnce

    var testDescription: String { rawValue }

    static let bytesMaximum = 1 << 20
    private static let commit = String(repeating: "a", count: 40)

    private func key(
        _ owner: String, _ repository: String, _ function: String = "fn", namespace: String? = nil
    ) throws -> LogKey {
        try #require(
            LogKey(
                namespace: namespace, owner: OwnerName(owner), repository: repository, commit: Self.commit,
                function: function))
    }

    func run(on store: any LogStore) async throws {
        switch self {
        case .givesBackWhatWasStored: try await givesBackWhatWasStored(store)
        case .keepsTheNewestOfAKey: try await keepsTheNewestOfAKey(store)
        case .keepsOwnersApart: try await keepsOwnersApart(store)
        case .listsAndDeletesBelowAPrefix: try await listsAndDeletesBelowAPrefix(store)
        case .sweepsByAgeAndSize: try await sweepsByAgeAndSize(store)
        case .refusesWhatIsTooLarge: try await refusesWhatIsTooLarge(store)
        case .takesManyAtOnce: try await takesManyAtOnce(store)
        }
    }

    private func givesBackWhatWasStored(_ store: any LogStore) async throws {
        let contents: [[UInt8]] = [
            [], Array("one\n".utf8), (0..<Self.bytesMaximum).map { UInt8(truncatingIfNeeded: $0 &* 31) },
        ]
        for (owner, content) in zip(["alice", "Group/Sub", ".github &+?#%äß"], contents) {
            let key = try key(owner, ".github", "fn.x")
            #expect(try await store.get(key) == nil)

            try await store.put(key, content)

            #expect(try await store.get(key) == content)
        }
    }

    private func keepsTheNewestOfAKey(_ store: any LogStore) async throws {
        try await store.put(try key("alice", "shop"), [1])
        try await store.put(try key("ALICE", "shop"), [2])

        #expect(try await store.get(try key("Alice", "shop")) == [2])
        #expect(try await store.list(nil).count == 1)
    }

    private func keepsOwnersApart(_ store: any LogStore) async throws {
        let keys = [
            try key("alex", "ellis-fn"), try key("alex-ellis", "fn"), try key("alex", "ellis", "fn"),
            try key("alex/ellis", "fn"), try key("alex", "fn", namespace: "elsewhere"), try key("@elsewhere", "fn"),
        ]
        for (index, key) in keys.enumerated() { try await store.put(key, [UInt8(index)]) }

        for (index, key) in keys.enumerated() { #expect(try await store.get(key) == [UInt8(index)]) }
        #expect(try await store.list(nil).count == keys.count)
    }

    private func listsAndDeletesBelowAPrefix(_ store: any LogStore) async throws {
        for repository in ["a", "b", "c"] { try await store.put(try key("alex", repository), [1, 2]) }
        try await store.put(try key("alex-ellis", "a"), [1])
        let before = try await store.list(LogPrefix(owner: OwnerName("alex")))

        let removed = try await store.delete(try #require(LogPrefix(owner: OwnerName("Alex"))))
        let again = try await store.delete(try #require(LogPrefix(owner: OwnerName("alex"))))

        #expect(before.map(\.sizeBytes) == [2, 2, 2])
        #expect(before.map(\.path).sorted() == ["a", "b", "c"].map { "alex/\($0)/\(Self.commit)/fn/build.log" })
        #expect(before.allSatisfy { abs((Timestamp.now - $0.storedAt) / .seconds(1)) < 600 })
        #expect(removed == 3 && again == 0)
        #expect(try await store.list(nil).map(\.path) == ["alex-ellis/a/\(Self.commit)/fn/build.log"])
        #expect(try await store.get(try key("alex", "a")) == nil)
    }

    private func sweepsByAgeAndSize(_ store: any LogStore) async throws {
        for number in 0..<4 {
            try await store.put(try key("alice", "r\(number)"), [UInt8](repeating: 1, count: 100))
        }

        let kept = try await store.sweep(LogRetention(age: .seconds(3600), totalBytesMaximum: 400))
        let bySize = try await store.sweep(LogRetention(age: .seconds(3600), totalBytesMaximum: 250))
        let byAge = try await store.sweep(
            LogRetention(age: .seconds(3600), totalBytesMaximum: 400), now: .now + .seconds(3700))

        #expect(kept == (0, 400))
        #expect(bySize == (2, 200))
        #expect(byAge == (2, 0))
        #expect(try await store.list(nil).isEmpty)
    }

    private func refusesWhatIsTooLarge(_ store: any LogStore) async throws {
        let key = try key("alice", "shop")

        await #expect(throws: LogStoreError.self) {
            try await store.put(key, [UInt8](repeating: 0, count: Self.bytesMaximum + 1))
        }

        #expect(try await store.get(key) == nil)
    }

    private func takesManyAtOnce(_ store: any LogStore) async throws {
        let keys = try (0..<40).map { try key("owner\($0 % 5)", "r", "f\($0)") }

        try await withThrowingTaskGroup { group in
            for (index, key) in keys.enumerated() {
                group.addTask { try await store.put(key, [UInt8](repeating: UInt8(index), count: 1000)) }
                if index % 8 == 0 {
                    group.addTask {
                        _ = try await store.sweep(LogRetention(age: .seconds(3600), totalBytesMaximum: 1 << 20))
                    }
                }
            }
            try await group.waitForAll()
        }

        for (index, key) in keys.enumerated() {
            #expect(try await store.get(key) == [UInt8](repeating: UInt8(index), count: 1000))
        }
    }
}

@Suite("Logs in a folder")
struct LogFolderTests {
    @Test("A folder does what a store does", arguments: LogStoreScenario.allCases)
    func scenario(scenario: LogStoreScenario) async throws {
        let folder = try TestFolder()

        try await scenario.run(
            on: LogFolder(path: folder.path + "/logs", bytesMaximum: LogStoreScenario.bytesMaximum))
    }

    @Test("What an earlier process left unfinished goes, and what it stored stays")
    func restart() async throws {
        let folder = try TestFolder()
        let key = try #require(
            LogKey(owner: OwnerName("alice"), repository: "shop", commit: "0123456", function: "fn"))
        try await LogFolder(path: folder.path, bytesMaximum: 10).put(key, [1])
        try folder.write("half", to: ".incoming/7")

        let store = try LogFolder(path: folder.path, bytesMaximum: 10)

        #expect(try await store.get(key) == [1])
        #expect(try await store.list(nil).count == 1)
        #expect(access(folder.path + "/.incoming/7", F_OK) != 0)
    }

    @Test("Deleting leaves no empty folders, and nothing but logs is listed or read")
    func tidy() async throws {
        let folder = try TestFolder()
        let store = try LogFolder(path: folder.path, bytesMaximum: 10)
        let key = try #require(
            LogKey(owner: OwnerName("alice"), repository: "shop", commit: "0123456", function: "fn"))
        try await store.put(key, [1])
        try folder.write("x", to: "alice/shop/0123456/fn/other")
        symlink("/etc/passwd", folder.path + "/alice/shop/build.log")

        #expect(try await store.list(nil).count == 1)
        unlink(folder.path + "/alice/shop/0123456/fn/other")
        unlink(folder.path + "/alice/shop/build.log")
        try await store.delete(try await store.list(nil))

        #expect(folder.names == [".incoming"])
    }

    @Test("A folder that cannot be used is told")
    func unusable() {
        #expect(throws: LogStoreError.self) { try LogFolder(path: "/proc/nowhere", bytesMaximum: 10) }
    }
}

@Suite("Logs in a bucket", .timeLimit(.minutes(10)))
struct LogBucketTests {
    @Test(
        "A bucket does what a store does, page by page",
        .enabled(if: ObjectHost.isInstalled, "needs moto's server: hack/test installs it"))
    func scenarios() async throws {
        try await ObjectHost.with(checksSignatures: false) { host in
            for scenario in LogStoreScenario.allCases {
                let store = host.store(prefix: scenario.rawValue + "/", pageSize: 3)

                try await scenario.run(on: store)
            }
        }
    }

    @Test(
        "Requests are signed so that a server takes them",
        .enabled(if: ObjectHost.isInstalled, "needs moto's server: hack/test installs it"))
    func signatures() async throws {
        try await ObjectHost.with { host in
            // Moto checks the signature of a URL after undoing its escapes, so names and prefixes without any.
            for scenario in [LogStoreScenario.keepsTheNewestOfAKey, .sweepsByAgeAndSize, .takesManyAtOnce] {
                try await scenario.run(on: host.store(prefix: scenario.rawValue + "-", pageSize: 3))
            }
        }
    }

    @Test(
        "A wrong key and a missing bucket are errors, not missing logs",
        .enabled(if: ObjectHost.isInstalled, "needs moto's server: hack/test installs it"))
    func refusals() async throws {
        try await ObjectHost.with { host in
            let key = try #require(
                LogKey(owner: OwnerName("alice"), repository: "shop", commit: "0123456", function: "fn"))
            let stores = [
                (host.store(secret: "wrong"), "SignatureDoesNotMatch"), (host.store(bucket: "missing"), "NoSuchBucket"),
            ]

            for (store, code) in stores {
                let get = await #expect(throws: LogStoreError.self) { _ = try await store.get(key) }
                let put = await #expect(throws: LogStoreError.self) { try await store.put(key, [1]) }
                let list = await #expect(throws: LogStoreError.self) { _ = try await store.list(nil) }

                for error in [get, put, list] {
                    #expect(error?.description.contains(code) == true)
                    #expect(error?.description.contains("wrong") == false)
                }
            }
            let nobody = host.store(credentials: { nil })
            await #expect(throws: LogStoreError.self) { _ = try await nobody.get(key) }
        }
    }

    @Test("A server that is away is told")
    func away() async throws {
        let store = LogBucket(
            client: HTTPClient(),
            location: .init(endpoint: "http://127.0.0.1:1", bucket: "logs", region: "us-east-1"), bytesMaximum: 10
        ) { .init(accessKeyID: "a", secretAccessKey: "b") }

        await #expect(throws: LogStoreError.self) { _ = try await store.list(nil) }
    }

    @Test("Credentials are not shown")
    func secrecy() {
        let credentials = LogBucket.Credentials(accessKeyID: "AKIA", secretAccessKey: "hidden")
        let signature = AWSSignature(accessKeyID: "AKIA", secretAccessKey: "hidden", region: "r", service: "s3")

        for text in ["\(credentials)", String(reflecting: credentials), "\(String(describing: signature))"] {
            #expect(!text.contains("hidden"))
        }
    }

    @Test(
        "A region or service that could break out of its place is refused",
        arguments: ["", "a:b", "a b", "a\n", "ä"])
    func words(text: String) {
        #expect(AWSSignature(accessKeyID: "a", secretAccessKey: "b", region: text, service: "s3") == nil)
        #expect(AWSSignature(accessKeyID: "a", secretAccessKey: "b", region: "r", service: text) == nil)
    }
}

/// A real server of the S3 protocol on loopback (moto's) that checks signatures.
struct ObjectHost: Sendable {
    let port: UInt16
    let accessKeyID: String
    let secretAccessKey: String

    static let bucket = "farebox-logs"

    /// moto's server, in the environment that hack/test makes.
    static let program: String =
        getenv("FAREBOX_TEST_MOTO").map { String(cString: $0) }
        ?? (getenv("HOME").map { String(cString: $0) } ?? "") + "/.cache/farebox/python/moto/bin/moto_server"
    static var isInstalled: Bool { access(program, X_OK) == 0 }

    var endpoint: String { "http://127.0.0.1:\(port)" }

    func store(
        prefix: String = "", bucket: String = Self.bucket, secret: String? = nil, pageSize: Int = 1000
    ) -> LogBucket {
        let credentials = LogBucket.Credentials(
            accessKeyID: accessKeyID, secretAccessKey: secret ?? secretAccessKey)
        return store(prefix: prefix, bucket: bucket, pageSize: pageSize) { credentials }
    }

    func store(
        prefix: String = "", bucket: String = Self.bucket, pageSize: Int = 1000,
        credentials: @escaping @Sendable () -> LogBucket.Credentials?
    ) -> LogBucket {
        LogBucket(
            client: HTTPClient(),
            location: .init(endpoint: endpoint, bucket: bucket, region: "us-east-1", prefix: prefix),
            bytesMaximum: LogStoreScenario.bytesMaximum, pageSize: pageSize, credentials: credentials)
    }

    /// Runs a server for as long as `body` takes.
    static func with(
        checksSignatures: Bool = true, _ body: (ObjectHost) async throws -> Void
    ) async throws {
        let folder = try TestFolder()
        let port = try Loopback.freePort()
        let server = ChildProcess(
            program: program, arguments: ["-H", "127.0.0.1", "-p", "\(port)"],
            environment: ["HOME": folder.path, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"],
            workingDirectory: folder.path, outputPath: "/dev/null", timeout: .seconds(600))
        let running = Task { try await server.run() }
        let result: Result<Void, any Error>
        do {
            try await Loopback.waitForListener(on: port)
            result = .success(try await body(try await prepared(port, checksSignatures)))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        try result.get()
    }

    /// Makes a user with a key and a bucket, then has every signature checked.
    private static func prepared(_ port: UInt16, _ checksSignatures: Bool) async throws -> ObjectHost {
        let client = HTTPClient()
        let base = "http://127.0.0.1:\(port)"
        @Sendable func iam(_ query: String) async throws -> String {
            let answer = try await client.send(
                HTTPClientRequest(
                    .post, url: base + "/",
                    headers: HTTPHeaders([
                        ("Content-Type", "application/x-www-form-urlencoded"), ("Host", "iam.amazonaws.com"),
                        (
                            "Authorization",
                            "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, "
                                + "Signature=x"
                        ),
                    ]), body: .bytes(Array((query + "&Version=2010-05-08").utf8))))
            #expect(answer.status == .ok)
            return String(decoding: answer.body, as: UTF8.self)
        }
        _ = try await iam("Action=CreateUser&UserName=farebox")
        let policy =
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3"
            + "%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D"
        _ = try await iam("Action=PutUserPolicy&UserName=farebox&PolicyName=all&PolicyDocument=" + policy)
        let key = try await iam("Action=CreateAccessKey&UserName=farebox")
        func part(_ name: String) throws -> String {
            let start = try #require(key.range(of: "<\(name)>"))
            return String(key[start].prefix { $0 != "<" })
        }
        let host = ObjectHost(
            port: port, accessKeyID: try part("AccessKeyId"), secretAccessKey: try part("SecretAccessKey"))
        let made = try await client.send(HTTPClientRequest(.put, url: base + "/" + bucket))
        #expect(made.status == .ok)
        guard checksSignatures else { return host }
        // From now on every request must be signed by that key.
        let reset = try await client.send(
            HTTPClientRequest(.post, url: base + "/moto-api/reset-auth", body: .bytes([UInt8(ascii: "0")])))
        #expect(reset.status == .ok)
        return host
    }
}

extension String {
    /// Where the text behind a mark begins; up to the end.
    fileprivate func range(of mark: String) -> PartialRangeFrom<String.Index>? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.index(rest.startIndex, offsetBy: mark.count)... }
            rest = rest.dropFirst()
        }
        return nil
    }
}
