import Archive
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

@Suite("The Function Builder API", .timeLimit(.minutes(10)))
struct BuildAPIServerTests {
    @Test("builds, streams the log, and ends with the digest")
    func stream() async throws {
        try await BuildDeskUnderTest.with { desk in
            let answer = Task { try await desk.post(RequestTar.good(), streams: true) }
            let job = try await desk.job(1)
            try await desk.run(job)
            try await desk.finish(job, log: "#1 [1/1] FROM scratch\n#1 DONE 0.1s\n")

            let response = try await answer.value
            let lines = try desk.lines(response)

            #expect(response.status == .ok)
            #expect(response.headers["Content-Type"] == "application/x-ndjson")
            #expect(BuildTask.isID(response.headers["X-Build-Id"] ?? ""))
            #expect(lines.dropLast().allSatisfy { $0["status"] == "in_progress" })
            #expect(lines.last?["status"] == "success")
            #expect(lines.last?["image"] == "registry.test/team/fn:1")
            #expect(lines.last?["digest"]?.stringValue == desk.digest)
            let log = lines.flatMap { $0["log"]?.arrayValue ?? [] }.compactMap(\.stringValue)
            #expect(log.contains { $0.hasPrefix("v: ") && $0.hasSuffix(" [1/1] FROM scratch 0.10s") }, "\(log)")
        }
    }

    @Test("answers in one piece, with the log, and with 500 for a build that failed")
    func buffered() async throws {
        try await BuildDeskUnderTest.with { desk in
            let good = Task { try await desk.post(RequestTar.good(), path: "/") }
            try await desk.finish(try await desk.job(1), log: "#1 [1/1] FROM scratch\n")
            let bad = Task {
                try await desk.post(RequestTar.good(dockerfile: "FROM scratch\nRUN false\n"), path: "/build/build")
            }
            let second = try await desk.job(2)
            try await desk.finish(
                second, log: "#2 ERROR: process \"/bin/sh -c false\" did not complete successfully: exit code: 1\n",
                fails: true)

            let (success, failure) = (try await good.value, try await bad.value)
            let (made, missed) = (try JSONReader().parse(success.body), try JSONReader().parse(failure.body))

            #expect(success.status == .ok)
            #expect(made["status"] == "success" && made["error"] == nil)
            #expect(made["log"]?.arrayValue?.isEmpty == false)
            #expect(failure.status == .internalServerError)
            #expect(missed["status"] == "failed")
            #expect(missed["error"]?.stringValue?.hasPrefix("StepFailed: ") == true)
            #expect(missed["log"]?.arrayValue?.last == missed["error"])
        }
    }

    @Test("gives the build what was sent: the same files in an order of their own, without times and owners")
    func context() async throws {
        try await BuildDeskUnderTest.with { desk in
            var tar = RequestTar()
            tar.entry("./", "5")
            tar.file("req.tar", "a leftover")
            tar.file("./context/run.sh", "#!/bin/sh\n", mode: "0000755")
            tar.file("./context/Dockerfile", "FROM scratch\n")
            tar.file("./context/.dockerignore", "*.log\nDockerfile\n")
            tar.file("./context/noise.log", "noise")
            tar.entry("./context/link", "2", link: "run.sh")
            tar.configuration(#"{"image":"registry.test/team/fn:1","buildArgs":{"A":"1"},"platforms":[""]}"#)

            let answer = Task { try await desk.post(tar, streams: true) }
            let job = try await desk.job(1)
            let digest = try #require(desk.artifacts.first)
            try await desk.finish(job)
            _ = try await answer.value

            let reader = try TarReader(bytes: try desk.artifact(digest))
            var found: [String] = []
            while let entry = try reader.next() { found.append(entry.path + (entry.isExecutable ? "*" : "")) }
            #expect(
                found == [
                    "com.openfaas.docker.config", "context", "context/run.sh*", "context/Dockerfile",
                    "context/.dockerignore", "context/link",
                ])
            let arguments = job.spec.template.spec.containers.first?.args ?? []
            #expect(arguments.contains("build-arg:A=1"))
            #expect(arguments.contains { $0.hasSuffix("sha256-\(digest).tar") })
            let secret = try await desk.api.get(Secret.self, job.key)
            #expect(secret.metadata.ownerReferences.first?.uid == job.metadata.uid)
            #expect(secret["context-token"] == Array(desk.tokens.read(digest: digest).utf8))
        }
    }

    @Test("builds once what is asked for twice at the same time, and comes back by id")
    func joined() async throws {
        try await BuildDeskUnderTest.with { desk in
            let first = Task { try await desk.post(RequestTar.good(), streams: false) }
            let job = try await desk.job(1)
            let second = try await desk.open(RequestTar.good())
            let id = try #require(job.metadata.labels[BuildJobs.idLabel])
            let present = try await desk.get("/build/\(id)")
            try await desk.finish(job)

            let (one, two) = (try await first.value, try await second.collect(bytesMaximum: 1 << 20))
            let after = try await desk.get("/build/\(id)")
            let again = try await desk.get("/build/\(id)", streams: true)

            #expect(present.status == .accepted)
            #expect(try JSONReader().parse(present.body)["status"] == "in_progress")
            #expect(one.headers["X-Build-Id"] == id && second.headers["X-Build-Id"] == id)
            #expect(try JSONReader().parse(one.body)["digest"]?.stringValue == desk.digest)
            #expect(try desk.lines(two).last?["status"] == "success")
            #expect(try JSONReader().parse(after.body)["status"] == "success")
            #expect(try desk.lines(again).last?["status"] == "success")
            #expect(try await desk.jobs().count == 1)
            #expect(try await desk.get("/build/" + String(repeating: "0", count: 32)).status == .notFound)
        }
    }

    @Test("is not begun again when it begins and ends between a look at its pods and one at its Job")
    func missed() async throws {
        let between = BetweenLooks()
        try await BuildDeskUnderTest.with(seen: { between.put(before: $0) }) { desk in
            between.act.set {
                guard let job = try await desk.jobs().first else { return false }
                try await desk.finish(job)
                return true
            }

            let answer = try await desk.post(RequestTar.good())

            #expect(answer.status == .ok, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(try await desk.jobs().count == 1)
            #expect(between.act.value == nil)
        }
    }

    @Test("builds again what was built before only when the registry has the tag for something else")
    func reused() async throws {
        try await BuildDeskUnderTest.with { desk in
            let first = Task { try await desk.post(RequestTar.good()) }
            try await desk.finish(try await desk.job(1))
            _ = try await first.value

            desk.registry.set(desk.digest)
            let found = try await desk.post(RequestTar.good())
            let countOfFound = try await desk.jobs().count
            desk.registry.set("sha256:" + String(repeating: "0", count: 64))
            let third = Task { try await desk.post(RequestTar.good()) }
            try await desk.finish(try await desk.job(2))

            #expect(found.status == .ok)
            #expect(countOfFound == 1)
            #expect(try await third.value.status == .ok)
        }
    }

    @Test("loses none of twenty builds with four places: the others wait for their turn")
    func crowd() async throws {
        try await BuildDeskUnderTest.with { desk in
            let answers = (0..<20).map { number in
                Task { try await desk.post(RequestTar.good(image: "registry.test/team/fn-\(number):1"), streams: true) }
            }
            var most = 0
            for count in 1...20 {
                let job = try await desk.job(count)
                most = max(most, try await desk.jobs().count { !BuildJobs.isFinished($0) })
                try await desk.finish(job)
            }

            for answer in answers { #expect(try desk.lines(try await answer.value).last?["status"] == "success") }
            #expect(most <= 4)
            #expect(try await desk.jobs().count == 20)
        }
    }

    @Test("turns away what has no place, in the words that clients know")
    func full() async throws {
        try await BuildDeskUnderTest.with({
            $0.inflightMaximum = 1; $0.queueMaximum = 0
        }) { desk in
            let first = Task { try await desk.post(RequestTar.good()) }
            let job = try await desk.job(1)

            let refused = try await desk.post(RequestTar.good(image: "registry.test/other:1"), streams: true)
            let ready = try await desk.get("/ready")
            try await desk.finish(job)
            _ = try await first.value

            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers["Retry-After"] != nil)
            #expect(refused.headers["X-OpenFaaS-Internal"] == "faas-middleware")
            #expect(
                String(decoding: refused.body, as: UTF8.self)
                    == "Concurrent request limit exceeded. Max concurrent requests: 1\n")
            #expect(ready.status == .tooManyRequests)
            #expect(try await desk.get("/ready").status == .ok)
            #expect(try await desk.get("/healthz").body == Array("OK".utf8))
        }
    }

    @Test("takes the builds of an earlier process over, and ends streams when it is stopped itself")
    func restart() async throws {
        let api = MemoryAPI()
        try await BuildDeskUnderTest.with(api: api) { desk in
            let answer = Task { try await desk.post(RequestTar.good(), streams: true) }
            _ = try await desk.job(1)
            await desk.stop()

            let lines = try desk.lines(try await answer.value)
            #expect(lines.last?["status"] == "failed")
            #expect(lines.last?["error"]?.stringValue?.contains("restarted") == true)
            #expect(lines.last?["interrupted"] == true)
        }
        try await BuildDeskUnderTest.with(api: api) { desk in
            let job = try await desk.job(1)
            let id = try #require(job.metadata.labels[BuildJobs.idLabel])
            let answer = Task { try await desk.get("/build/\(id)", streams: true) }
            try await desk.finish(job, log: "#1 [1/1] FROM scratch\n")

            let last = try desk.lines(try await answer.value).last
            #expect(last?["status"] == "success", "\(String(describing: last))")
            #expect(try await desk.jobs().count == 1)
        }
    }

    @Test("refuses everything without a payload secret, and says what is missing")
    func withoutSecret() async throws {
        try await BuildDeskUnderTest.with({ $0.payloadSecretPath += "-none" }) { desk in
            let response = try await desk.post(RequestTar.good(), streams: true)

            #expect(response.status == .serviceUnavailable)
            #expect(String(decoding: response.body, as: UTF8.self).contains("farebox-builder-payload"))
        }
    }

    @Test("deletes builds that ended long ago, and says that a deleted one was deleted")
    func deleted() async throws {
        try await BuildDeskUnderTest.with { desk in
            let answer = Task { try await desk.post(RequestTar.good()) }
            let job = try await desk.job(1)
            try await desk.api.delete(Job.self, job.key)

            let response = try await answer.value

            #expect(response.status == .internalServerError)
            #expect(String(decoding: response.body, as: UTF8.self).contains("somebody deleted"))
        }
    }
}

/// Stands before a cluster and does something there once, after the answer to a list of pods was made.
private final class BetweenLooks: Sendable {
    /// What is done; it says whether it was.
    let act = Observed<(@Sendable () async throws -> Bool)?>(nil)

    func put(before api: MemoryAPI) -> any KubernetesAPI { Cluster(api: api, between: self) }

    private struct Cluster: KubernetesAPI {
        let api: MemoryAPI
        let between: BetweenLooks

        func send(_ request: APIRequest) async throws -> [UInt8] {
            let answer = try await api.send(request)
            if request.verb == .list, request.resource == Pod.descriptor, try await between.act.value?() == true {
                between.act.set(nil)
            }
            return answer
        }

        func open(_ request: APIRequest) async throws -> any ByteStream { try await api.open(request) }
    }
}
