import Builds
import Cryptography
import Glibc
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import RawSockets
import Telemetry
import Testing

@testable import BuildService

/// A Function Builder API on loopback with a cluster in memory, whose Jobs a test brings to their end.
struct BuildDeskUnderTest: Sendable {
    let api: MemoryAPI
    let folder: StoreFolder
    let tokens: ArtifactTokens
    let port: UInt16
    /// What the registry has every tag for; nil for nothing.
    let registry: Observed<String?>
    let stop: @Sendable () async -> Void

    let key = Array("c2VjcmV0IG9mIHRoZSB0ZXN0cw==".utf8)
    let digest = "sha256:" + String(repeating: "d1", count: 32)

    static let namespace = "farebox-builds"

    /// Runs a server around `body`.
    ///
    /// - Parameter seen: The cluster as the server sees it.
    static func with(
        api: MemoryAPI = MemoryAPI(), seen: (MemoryAPI) -> any KubernetesAPI = { $0 },
        secretKeys: [String: String] = [:],
        _ change: (inout BuildAPIConfiguration) -> Void = { _ in }, isReady: Bool = true,
        _ body: (BuildDeskUnderTest) async throws -> Void
    ) async throws {
        let folder = try StoreFolder()
        let limits = ArtifactLimits(
            artifactBytesMaximum: 64 << 20, totalBytesMaximum: 256 << 20, retention: .seconds(86400),
            protection: .seconds(1800))
        let store = try ArtifactFolder(path: folder.path + "/artifacts", limits: limits)
        // With a newline, as the guide of OpenFaaS makes it.
        try folder.write(Array("c2VjcmV0IG9mIHRoZSB0ZXN0cw==\n".utf8), to: "payload-secret")
        var configuration = BuildAPIConfiguration()
        configuration.address = "127.0.0.1"
        configuration.port = 0
        configuration.payloadSecretPath = folder.path + "/payload-secret"
        configuration.bodyBytesMaximum = 32 << 20
        let keys = try StoreFolder()
        for (name, text) in secretKeys { try keys.write(Array(text.utf8), to: name) }
        configuration.buildSecretKeyPath = keys.path + "/key"
        change(&configuration)
        var builds = BuildConfiguration()
        builds.builderImage = "builder"
        builds.artifactsURL = "http://artifacts.test"
        let registry = Observed<String?>(nil)
        var pace = BuildShepherd.Pace()
        pace.look = .milliseconds(20)
        pace.room = .milliseconds(20)
        let tokens = try #require(ArtifactTokens(key: [UInt8](repeating: 7, count: 32)))
        let server = BuildAPIServer(
            configuration: configuration,
            surroundings: BuildAPIServer.Surroundings(
                builds: builds, buildsMaximum: 10, registryCredentials: nil, registry: RegistryClient.Configuration()),
            folder: store, tokens: tokens, api: seen(api), registry: MetricsRegistry(), pace: pace,
            digest: { _ in registry.value })
        let port = try server.start()
        let running = Task { try await server.run() }
        let desk = BuildDeskUnderTest(
            api: api, folder: folder, tokens: tokens, port: port, registry: registry,
            stop: {
                running.cancel()
                _ = await running.result
            })
        let result: Result<Void, any Error>
        do {
            try await desk.eventuallyReady(isReady)
            result = .success(try await body(desk))
        } catch {
            result = .failure(error)
        }
        await desk.stop()
        withExtendedLifetime(keys) {}
        try result.get()
    }

    // MARK: - The client

    func post(
        _ tar: RequestTar, streams: Bool = false, path: String = "/build", signature: String? = nil
    ) async throws -> HTTPClientResponse {
        try await post(tar.bytes, streams: streams, path: path, signature: signature)
    }

    func post(
        _ body: [UInt8], streams: Bool = false, path: String = "/build", signature: String? = nil
    ) async throws -> HTTPClientResponse {
        try await HTTPClient().send(posting(body, streams: streams, path: path, signature: signature))
    }

    /// Asks for a build and comes back with the head of a stream, as soon as the desk has taken it in.
    func open(_ tar: RequestTar) async throws -> HTTPClientStream {
        try await HTTPClient().stream(posting(tar.bytes, streams: true, path: "/build", signature: nil))
    }

    private func posting(
        _ body: [UInt8], streams: Bool, path: String, signature: String?
    ) -> HTTPClientRequest {
        var headers = HTTPHeaders([
            ("Content-Type", "application/octet-stream"), ("User-Agent", "openfaas-go-sdk"),
            ("X-Build-Signature", signature ?? sign(body)),
        ])
        if streams { headers.set("Accept", "Application/X-NDJSON") }
        return HTTPClientRequest(
            .post, url: url(path), headers: headers, body: .bytes(body), timeout: .seconds(300))
    }

    func get(_ path: String, streams: Bool = false) async throws -> HTTPClientResponse {
        var headers = HTTPHeaders()
        if streams { headers.set("Accept", "application/x-ndjson") }
        return try await HTTPClient().send(
            HTTPClientRequest(.get, url: url(path), headers: headers, timeout: .seconds(300)))
    }

    func sign(_ body: [UInt8]) -> String { "sha256=" + Hex.encode(HMAC.sha256(key: key, message: body)) }

    /// The lines of a stream, each read as JSON; an empty one is none.
    func lines(_ response: HTTPClientResponse) throws -> [JSONValue] { try lines(response.body) }

    func lines(_ body: [UInt8]) throws -> [JSONValue] {
        let text = String(decoding: body, as: UTF8.self)
        #expect(text.hasSuffix("\n") && !text.contains("\n\n"), "\(text)")
        return try text.split(separator: "\n").map { try JSONReader().parse(String($0)) }
    }

    private func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// - Parameter isReady: Whether it says so; else it only takes builds, as a plain refusal of one shows.
    private func eventuallyReady(_ isReady: Bool) async throws {
        _ = try await poll {
            let status = isReady ? try await get("/ready").status : try await post([], signature: "").status
            return status == (isReady ? .ok : .unauthorized) ? true : nil
        }
    }

    // MARK: - The cluster

    func jobs() async throws -> [Job] { try await api.list(Job.self, namespace: Self.namespace).items }

    /// The newest Job, once there are so many in all.
    func job(_ count: Int) async throws -> Job {
        try await poll {
            let jobs = try await jobs()
            guard jobs.count >= count else { return nil }
            return jobs.filter { !BuildJobs.isFinished($0) }.min { $0.metadata.name < $1.metadata.name }
                ?? (count == jobs.count ? jobs.first : nil)
        }
    }

    /// A Job's Secret, once it is there.
    func secret(of job: Job) async throws -> Secret {
        try await poll {
            do {
                return try await api.get(Secret.self, job.key)
            } catch let error as KubernetesError where error.isNotFound {
                return nil
            }
        }
    }

    /// Starts a Job's pod.
    func run(_ job: Job) async throws { _ = try await api.create(pod(job, phase: "Running", state: ["running": [:]])) }

    /// Lets a Job end.
    func finish(_ job: Job, log: String = "", fails: Bool = false) async throws {
        let name = podName(job)
        api.say(log, as: name)
        let message =
            fails
            ? log : JSONWriter().string(["containerimage.digest": .string(digest), "image.name": "x"])
        let terminated: JSONValue = [
            "terminated": [
                "exitCode": fails ? 1 : 0, "reason": fails ? "Error" : "Completed", "message": .string(message),
            ]
        ]
        let pod = try pod(job, phase: fails ? "Failed" : "Succeeded", state: terminated)
        do {
            _ = try await api.create(pod)
        } catch let error as KubernetesError where error.isAlreadyExists {
            let status = try #require(try pod.manifest()["status"])
            _ = try await api.patch(Pod.self, pod.key, .merge(["status": status]))
        }
        _ = try await api.patch(
            Job.self, job.key,
            .merge(["status": ["conditions": [["type": fails ? "Failed" : "Complete", "status": "True"]]]]))
    }

    private func podName(_ job: Job) -> String { job.metadata.name + "-pod" }

    private func pod(_ job: Job, phase: String, state: JSONValue) throws -> Pod {
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(podName(job)), "namespace": .string(Self.namespace),
                "labels": JSONValue(
                    job.metadata.labels.merging(["job-name": job.metadata.name]) { ours, _ in ours }
                        .mapValues { .string($0) }),
                "ownerReferences": [
                    [
                        "apiVersion": "batch/v1", "kind": "Job", "name": .string(job.metadata.name),
                        "uid": .string(job.metadata.uid), "controller": true,
                    ]
                ],
            ],
            "spec": ["containers": [["name": "build", "image": "builder"]]],
            "status": [
                "phase": .string(phase),
                "containerStatuses": [
                    [
                        "name": "build", "ready": false, "restartCount": 0, "image": "builder", "imageID": "",
                        "state": state,
                    ]
                ],
            ],
        ]
        return try JSONReader().decode(Pod.self, from: object)
    }

    // MARK: - The disk

    /// The digests of what is in the store.
    var artifacts: [String] { folder.names(in: "artifacts").compactMap { ArtifactPath.digest(inFileName: $0) } }

    /// What requests that are being received have on the disk.
    var uploadedBytes: Int {
        folder.names(in: "artifacts").filter { $0.hasPrefix("incoming-") }.reduce(0) { sum, name in
            var status = stat()
            return sum + (stat("\(folder.path)/artifacts/\(name)", &status) == 0 ? Int(status.st_size) : 0)
        }
    }

    func artifact(_ digest: String) throws -> [UInt8] {
        let file = try #require(fopen("\(folder.path)/artifacts/\(ArtifactPath.fileName(digest: digest))", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return bytes
    }

    /// Looks until there is an answer.
    private func poll<R>(_ body: () async throws -> R?) async throws -> R {
        let end = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < end {
            if let answer = try await body() { return answer }
            // A look now and then: nothing tells when it is so.
            try? await Task.sleep(for: .milliseconds(2))
        }
        throw BuildRefusal(.gatewayTimeout, "it did not happen")
    }
}
