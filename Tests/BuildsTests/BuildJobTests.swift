import CRDs
import JSON
import KubernetesTypes
import Testing

@testable import Builds

@Suite("A build Job")
struct BuildJobTests {
    static let digest = String(repeating: "0123456789abcdef", count: 4)

    static func request() throws -> BuildJob.Request {
        BuildJob.Request(
            repository: ObjectKey(namespace: "farebox-functions", name: "alice-shop"), repositoryUID: "uid-1",
            owner: "Alice", function: "cart", commit: String(repeating: "a1", count: 20), inputsDigest: "i-1",
            contextDigest: digest,
            image: try ImageReference(parsing: "10.99.0.1:5000/alice/shop-cart:latest-main-a1a1a1a"),
            arguments: ["VERSION": "1.0", "EMPTY": ""])
    }

    static func configuration() -> BuildConfiguration {
        var configuration = BuildConfiguration()
        configuration.builderImage = "10.99.0.1:5000/farebox/builder:1"
        configuration.artifactsURL = "http://farebox-builder.farebox-system:8082/"
        configuration.insecureRegistries = ["10.99.0.1:5000"]
        configuration.mirrors = ["docker.io": "10.99.0.1:5000"]
        return configuration
    }

    @Test("is rendered as BuildKit was found to need it")
    func golden() throws {
        let build = BuildJob(try Self.request(), configuration: Self.configuration())

        try Golden.expect(build.job, matches: "build-job")
    }

    @Test("has a Secret with the daemon's configuration, the source policy and one token")
    func secret() throws {
        let build = BuildJob(try Self.request(), configuration: Self.configuration())

        let secret = build.secret(contextToken: "t0ken", jobUID: "job-uid")

        let files = secret.data.mapValues { JSONValue.string(String(decoding: $0.bytes, as: UTF8.self)) }
        try Golden.expect(JSONValue(files), matches: "build-secret-files")
        #expect(secret.metadata.ownerReferences.first?.uid == "job-uid")
        #expect(secret.metadata.name == build.job.metadata.name)
    }

    @Test("has a name that follows from what is built, and from nothing else")
    func names() throws {
        let request = try Self.request()
        func name(_ change: (inout BuildJob.Request) -> Void) -> String {
            var changed = request
            change(&changed)
            return BuildJob(changed, configuration: Self.configuration()).name
        }
        let original = BuildJob(request, configuration: Self.configuration()).name

        let same = [name { $0.commit = "other" }, name { $0.contextDigest = "other" }]
        let different = [
            name { $0.repositoryUID = "uid-2" }, name { $0.function = "other" }, name { $0.inputsDigest = "i-2" },
            name { $0.attempt = 2 },
        ]

        #expect(same.allSatisfy { $0 == original })
        #expect(!different.contains(original))
        #expect(Set(different).count == different.count)
    }

    @Test("has a valid name, however long the parts are")
    func longNames() throws {
        var request = try Self.request()
        request.repository = ObjectKey(namespace: "n", name: String(repeating: "a.b-", count: 60) + "z")
        request.function = String(repeating: "f", count: 63)

        let job = BuildJob(request, configuration: Self.configuration()).job

        #expect(DNSName.isLabel(job.metadata.name))
        #expect(job.metadata.name.utf8.count <= 57, "pods add six characters")
        #expect(job.metadata.labels.values.allSatisfy(LabelValue.isValid))
    }

    @Test("cannot be given more time than the cluster allows")
    func timeout() throws {
        var request = try Self.request()
        request.timeout = .seconds(60)
        let short = BuildJob(request, configuration: Self.configuration()).job
        request.timeout = .seconds(100_000)
        let long = BuildJob(request, configuration: Self.configuration()).job

        #expect(short.spec.template.spec.activeDeadlineSeconds == 60)
        #expect(long.spec.template.spec.activeDeadlineSeconds == 900)
    }

    @Test("quotes what gets into buildkitd.toml")
    func toml() {
        var configuration = BuildConfiguration()
        configuration.insecureRegistries = ["a\"]\nevil = true\n[\"b"]

        let text = BuildKitFiles.daemonConfiguration(configuration)

        #expect(text == "[registry.\"a\\\"]evil = true[\\\"b\"]\n  http = true\n")
    }

    @Test("of no Repository has platforms, secrets of steps, and need not push")
    func extras() throws {
        var request = try Self.request()
        request.repository = ObjectKey(namespace: "", name: "api")
        request.function = "my_fn.x"
        request.platforms = ["linux/amd64", "linux/arm64"]
        request.pushes = false
        request.secretNames = ["npmrc"]
        request.labels = ["farebox.dev/build-id": "b1"]
        request.annotations = ["farebox.dev/build-task": "{}"]

        let build = BuildJob(request, configuration: Self.configuration())
        let pod = build.job.spec.template.spec
        let arguments = pod.containers.first?.args ?? []

        #expect(build.name.hasPrefix("api-my-fn-x-"))
        #expect(arguments.contains("platform=linux/amd64,linux/arm64"))
        #expect(arguments.contains("id=npmrc,src=/run/build-secrets/step.npmrc"))
        #expect(arguments.contains { $0.hasSuffix(",push=false") })
        #expect(!arguments.contains("--export-cache"))
        #expect(pod.containers.first?.command.contains { $0.hasSuffix("|| true; }") } == true)
        #expect(build.job.metadata.labels["farebox.dev/build-id"] == "b1")
        #expect(build.job.spec.template.metadata.labels["farebox.dev/build-id"] == "b1")
        #expect(build.job.metadata.annotations[BuildJob.repositoryAnnotation] == nil)
        let secret = build.secret(contextToken: "t", jobUID: "u", values: ["npmrc": [1, 2]])
        #expect(secret["step.npmrc"] == [1, 2])
    }
}
