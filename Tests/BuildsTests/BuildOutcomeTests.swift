import CRDs
import KubernetesTypes
import Testing

@testable import Builds

@Suite("The outcome of a build")
struct BuildOutcomeTests {
    private static let digest = "sha256:" + BuildJobTests.digest

    private func job(_ conditions: [Condition] = []) throws -> Job {
        var job = BuildJob(try BuildJobTests.request(), configuration: BuildJobTests.configuration()).job
        job.status = JobStatus()
        job.status?.conditions = conditions
        return job
    }

    private func pod(_ phase: String, reason: String = "", _ state: ContainerState?) throws -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: "p"), spec: try job().spec.template.spec)
        pod.status = PodStatus(phase: phase, reason: reason)
        pod.status?.containerStatuses = [ContainerStatus(name: BuildJob.containerName, state: state)]
        return pod
    }

    private func ended(_ code: Int32, reason: String = "Error", _ message: String) -> ContainerState {
        ContainerState(terminated: ContainerStateTerminated(exitCode: code, reason: reason, message: message))
    }

    @Test("is the digest that BuildKit reports")
    func success() throws {
        let message =
            #"{"containerimage.config.digest":"x","containerimage.digest":"\#(Self.digest)","image.name":"a:b"}"#

        let outcome = BuildOutcome(job: try job(), pod: try pod("Succeeded", ended(0, reason: "Completed", message)))

        #expect(outcome == .succeeded(digest: Self.digest))
    }

    @Test(
        "is a failure of the builder when it reports no digest",
        arguments: ["", "{", "[]", "{}", #"{"containerimage.digest":7}"#, #"{"containerimage.digest":"sha256:12"}"#])
    func noDigest(message: String) throws {
        let outcome = BuildOutcome(job: try job(), pod: try pod("Succeeded", ended(0, message)))

        guard case .failed(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.reason == .builderFailed)
    }

    @Test(
        "names the cause that the log shows",
        arguments: [
            (
                "#7 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 7\n"
                    + "error: failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 7",
                .stepFailed
            ),
            ("executor failed running [/bin/sh -c make]: exit code: 7\nerror: failed to solve", .stepFailed),
            ("error: failed to solve: dockerfile parse error on line 1: unknown instruction: FORM", .stepFailed),
            (
                "error: failed to read dockerfile: open context/Dockerfile: no such file or directory",
                .dockerfileMissing
            ),
            (
                "error: failed to solve: nope:1: failed to resolve source metadata for docker.io/library/nope:1: not found",
                .stepFailed
            ),
            (
                "error: failed to solve: failed to resolve source metadata for r.io/a: dial tcp: lookup r.io: no such host",
                .registryUnreachable
            ),
            (
                "error: failed to solve: failed to push r/a:1: unexpected status from HEAD request to http://r: "
                    + "401 Unauthorized", .registryAuthFailed
            ),
            ("error: failed to push r/a:1: no basic auth credentials", .registryAuthFailed),
            (
                "error: failed to solve: failed to push r/a:1: dial tcp 10.0.0.1:5000: connect: connection refused",
                .pushFailed
            ),
            ("error: failed to export the cache to r/a:cache", .pushFailed),
            ("error: failed to read downloaded context: digest mismatch sha256:aa: sha256:bb", .contextFetchFailed),
            (
                "error: failed to solve: failed to load cache key: invalid response status 404 for "
                    + "http://b/artifacts/sha256-00.tar", .contextFetchFailed
            ),
            ("error: dockerd did not start", .builderFailed),
            ("could not connect to unix:///run/user/1000/buildkit/buildkitd.sock after 10 trials", .builderFailed),
            ("", .builderFailed),
            (
                "#9 12.0 Killed\nerror: process \"/bin/sh -c x\" did not complete successfully: exit code: 137",
                .outOfMemory
            ),
        ] as [(String, RepositoryReason)])
    func causes(log: String, reason: RepositoryReason) throws {
        let outcome = BuildOutcome(job: try job(), pod: try pod("Failed", ended(1, log)))

        guard case .failed(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.reason == reason, "\(failure.message)")
        #expect(!failure.message.isEmpty && !failure.message.contains("\n"))
    }

    @Test(
        "says the cause where the last line says only that there is one",
        arguments: [
            (
                " > [1/1] COPY nothing /nothing:\n------\nfailed to compute cache key: \"/nothing\" not found: not found\n"
                    + "error: failed to solve",
                "error: failed to solve: failed to compute cache key: \"/nothing\" not found: not found"
            ),
            ("------\nerror: failed to solve", "error: failed to solve"),
            ("error: failed to solve", "error: failed to solve"),
        ])
    func cause(log: String, message: String) {
        let failure = BuildLog.failure(in: log, exitCode: 1)

        #expect(failure.reason == .stepFailed)
        #expect(failure.message == message)
    }

    @Test("names what the cluster did to the pod")
    func cluster() throws {
        func reason(_ outcome: BuildOutcome) -> RepositoryReason? {
            if case .failed(let failure) = outcome { failure.reason } else { nil }
        }
        let gone = Condition(type: "Failed", status: .true, reason: "BackoffLimitExceeded")
        let late = Condition(type: "Failed", status: .true, reason: "DeadlineExceeded")
        let complete = Condition(type: "Complete", status: .true, reason: "")

        #expect(
            reason(BuildOutcome(job: try job(), pod: try pod("Failed", ended(1, reason: "OOMKilled", "x"))))
                == .outOfMemory)
        #expect(
            reason(BuildOutcome(job: try job(), pod: try pod("Failed", reason: "DeadlineExceeded", nil))) == .timeout)
        #expect(reason(BuildOutcome(job: try job(), pod: try pod("Failed", reason: "Evicted", nil))) == .evicted)
        #expect(reason(BuildOutcome(job: try job(), pod: try pod("Failed", nil))) == .evicted)
        #expect(reason(BuildOutcome(job: try job([gone]), pod: nil)) == .evicted)
        #expect(reason(BuildOutcome(job: try job([late]), pod: nil)) == .timeout)
        #expect(reason(BuildOutcome(job: try job([complete]), pod: nil)) == .evicted)
    }

    @Test("is still open while the pod waits or runs, and says what keeps it")
    func open() throws {
        let image = ContainerState(waiting: ContainerStateWaiting(reason: "ImagePullBackOff", message: "not found"))
        let creating = ContainerState(waiting: ContainerStateWaiting(reason: "ContainerCreating"))
        var unscheduled = try pod("Pending", nil)
        unscheduled.status?.conditions = [
            Condition(type: "PodScheduled", status: .false, reason: "Unschedulable", message: "0/1 nodes")
        ]

        #expect(BuildOutcome(job: try job(), pod: nil) == .waiting(nil))
        #expect(BuildOutcome(job: try job(), pod: try pod("Pending", creating)) == .waiting(nil))
        #expect(
            BuildOutcome(job: try job(), pod: try pod("Running", ContainerState(running: ContainerStateRunning())))
                == .running)
        for obstacle in [
            BuildOutcome(job: try job(), pod: try pod("Pending", image)),
            BuildOutcome(job: try job(), pod: unscheduled),
        ] {
            guard case .waiting(let failure?) = obstacle else {
                Issue.record("\(obstacle)")
                continue
            }
            #expect(failure.reason == .builderFailed)
        }
    }

    @Test("shows the last lines of the log, masked, without control characters, within its limit")
    func tail() {
        let log =
            (1...100).map { "\u{1B}[31mline \($0)\u{1B}[0m\u{7}\r" }.joined(separator: "\n") + "\ntoken s3cretvalue\n"
        let masker = LogMasker(values: ["s3cretvalue"])

        let tail = BuildLog.tail(log, masker: masker, bytesMaximum: 4096)
        let short = BuildLog.tail(log, masker: masker, bytesMaximum: 40)
        let one = BuildLog.tail(String(repeating: "ä", count: 5000), masker: masker, bytesMaximum: 100)

        #expect(tail.hasPrefix("line 82\n"))
        #expect(tail.hasSuffix("line 100\ntoken ***"))
        #expect(short == "line 98\nline 99\nline 100\ntoken ***")
        #expect((1...100).contains(one.utf8.count))
    }
}
