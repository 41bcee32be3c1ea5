import CRDs
import JSON
import KubernetesTypes
import Testing
import Timing

@testable import Operator

@Suite("What pods say about a function that does not run")
struct PodDiagnosisTests {
    static let now = Time(Timestamp(secondsSinceEpoch: 1_800_000_000))

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let status: String
        let reason: String?
        var says: [String] = []
    }

    static func container(_ state: String, last: String = "{}") -> String {
        #"""
        {"phase": "Running", "containerStatuses": [{"name": "function", "ready": false, "image": "reg/x:1",
         "state": \#(state), "lastState": \#(last)}]}
        """#
    }

    static let cases: [Case] = [
        Case(testDescription: "no status at all", status: "{}", reason: nil),
        Case(
            testDescription: "being created", status: container(#"{"waiting": {"reason": "ContainerCreating"}}"#),
            reason: nil),
        Case(
            testDescription: "first failed pull",
            status: container(#"{"waiting": {"reason": "ErrImagePull", "message": "401 Unauthorized"}}"#),
            reason: "ImagePullFailed", says: ["reg/x:1", "401 Unauthorized"]),
        Case(
            testDescription: "waiting to pull again",
            status: container(#"{"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}"#),
            reason: "ImagePullFailed", says: ["Back-off pulling"]),
        Case(
            testDescription: "bad name", status: container(#"{"waiting": {"reason": "InvalidImageName"}}"#),
            reason: "ImagePullFailed", says: ["InvalidImageName"]),
        Case(
            testDescription: "root image",
            status: container(
                #"{"waiting": {"reason": "CreateContainerConfigError", "message": "container has runAsNonRoot"}}"#),
            reason: "ContainerConfigError", says: ["runAsNonRoot"]),
        Case(
            testDescription: "crash loop",
            status: container(
                #"{"waiting": {"reason": "CrashLoopBackOff"}}"#,
                last: #"{"terminated": {"exitCode": 1, "reason": "Error", "message": "  boom\n"}}"#),
            reason: "CrashLoop", says: ["exit code 1", "boom"]),
        Case(
            testDescription: "running again after a crash",
            status: container(
                #"{"running": {"startedAt": "2027-01-15T07:59:59Z"}}"#, last: #"{"terminated": {"exitCode": 2}}"#),
            reason: "CrashLoop", says: ["exit code 2"]),
        Case(
            testDescription: "ended well",
            status: container(#"{"terminated": {"exitCode": 0, "reason": "Completed"}}"#),
            reason: "CrashLoop", says: ["must keep running"]),
        Case(
            testDescription: "ended by a signal",
            status: container(#"{"terminated": {"exitCode": 139, "signal": 11}}"#),
            reason: "CrashLoop", says: ["signal 11"]),
        Case(
            testDescription: "out of memory",
            status: container(#"{"terminated": {"exitCode": 137, "reason": "OOMKilled"}}"#), reason: "OutOfMemory",
            says: ["spec.resources.limits.memory"]),
        Case(
            testDescription: "killed without a reason", status: container(#"{"terminated": {"exitCode": 137}}"#),
            reason: "CrashLoop", says: ["lack of memory"]),
        Case(
            testDescription: "evicted",
            status:
                #"{"phase": "Failed", "reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds"}"#,
            reason: "Evicted", says: ["ephemeral local storage"]),
        Case(
            testDescription: "no room",
            status: #"""
                {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                 "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}
                """#,
            reason: "Unschedulable", says: ["Insufficient cpu"]),
        Case(
            testDescription: "long without becoming ready",
            status: container(#"{"running": {"startedAt": "2027-01-15T07:59:00Z"}}"#), reason: "ProbeFailing",
            says: ["spec.port"]),
        Case(
            testDescription: "started just now",
            status: container(#"{"running": {"startedAt": "2027-01-15T07:59:50Z"}}"#),
            reason: nil),
        Case(
            testDescription: "started in the future",
            status: container(#"{"running": {"startedAt": "9999-01-01T00:00:00Z"}}"#), reason: nil),
        Case(
            testDescription: "ready",
            status: #"""
                {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "function",
                 "ready": true, "state": {"terminated": {"exitCode": 1}}}]}
                """#,
            reason: nil),
    ]

    static func diagnose(_ pods: [Pod], previous: FunctionTrouble? = nil) -> PodDiagnosis {
        PodDiagnosis(of: pods, templateHash: "new", startLimit: .seconds(60), previous: previous, now: now)
    }

    @Test("Each state of a pod has its reason and says what matters", arguments: cases)
    func reasons(test: Case) throws {
        let pod = try Self.pod("a", test.status)

        let diagnosis = Self.diagnose([pod])

        #expect(diagnosis.trouble?.reason.rawValue == test.reason)
        for words in test.says { #expect(diagnosis.trouble?.message.contains(words) == true, "\(words)") }
    }

    @Test(
        "A start is looked at again when it is slow, and when its time is over",
        arguments: [
            ("07:59:55", 6, nil), ("07:59:50", 51, "has not passed"), ("07:59:01", 2, "has not passed"),
            ("07:59:00", nil, nil),
        ] as [(String, Int?, String?)])
    func recheck(startedAt: String, seconds: Int?, hint: String?) throws {
        let pod = try Self.pod("a", Self.container(#"{"running": {"startedAt": "2027-01-15T\#(startedAt)Z"}}"#))

        let diagnosis = Self.diagnose([pod])

        #expect(diagnosis.recheckAfter == seconds.map { .seconds($0) })
        #expect((diagnosis.hint == nil) == (hint == nil))
        if let hint { #expect(diagnosis.hint?.contains(hint) == true) }
        #expect((diagnosis.trouble?.reason == .probeFailing) == (seconds == nil))
    }

    @Test("Of several that start, the one whose time is over first is looked at first")
    func recheckOfSeveral() throws {
        let pods = try ["07:59:55", "07:59:02", "07:59:30"].map {
            try Self.pod($0, Self.container(#"{"running": {"startedAt": "2027-01-15T\#($0)Z"}}"#))
        }

        #expect(Self.diagnose(pods).recheckAfter == .seconds(3))
    }

    @Test(
        "What a node ended for its health check goes on to be told as that, and what ends by itself as its end",
        arguments: [(137, true), (143, true), (0, true), (1, false), (139, false)])
    func endedForItsProbe(exitCode: Int32, isForProbe: Bool) throws {
        let slow = try Self.pod("a", Self.container(#"{"running": {"startedAt": "2027-01-15T07:59:00Z"}}"#))
        let again = try Self.pod(
            "a",
            Self.container(
                #"{"running": {"startedAt": "2027-01-15T08:00:00Z"}}"#,
                last: #"{"terminated": {"exitCode": \#(exitCode)}}"#))

        let diagnosis = Self.diagnose([again], previous: Self.diagnose([slow]).trouble)

        #expect(diagnosis.trouble?.reason == (isForProbe ? .probeFailing : .crashLoop))
        #expect(Self.diagnose([again]).trouble?.reason == .crashLoop)
    }

    @Test("Pods of another rendering, and pods that go, say nothing")
    func otherPods() throws {
        let crash = Self.container(#"{"terminated": {"exitCode": 1}}"#)
        var going = try Self.pod("a", crash)
        going.metadata.deletionTimestamp = Self.now
        var old = try Self.pod("b", crash)
        old.metadata.annotations[FunctionChildren.templateHash] = "old"

        let diagnosis = Self.diagnose([going, old])

        #expect(diagnosis.trouble == nil)
    }

    @Test("The newest pod speaks first")
    func newestFirst() throws {
        var old = try Self.pod("a", Self.container(#"{"terminated": {"exitCode": 1}}"#))
        old.metadata.creationTimestamp = Time(Timestamp(secondsSinceEpoch: 1_700_000_000))
        var new = try Self.pod("b", Self.container(#"{"terminated": {"exitCode": 2}}"#))
        new.metadata.creationTimestamp = Time(Timestamp(secondsSinceEpoch: 1_700_000_001))

        let diagnosis = Self.diagnose([old, new])

        #expect(diagnosis.trouble?.message.contains("exit code 2") == true)
    }

    @Test("While the kubelet waits to pull again, the registry's last answer stays")
    func pullAnswerStays() throws {
        let failed = try Self.pod(
            "a", Self.container(#"{"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}}"#))
        let waiting = try Self.pod(
            "a", Self.container(#"{"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}"#))
        let first = Self.diagnose([failed])

        let second = Self.diagnose([waiting], previous: first.trouble)

        #expect(second.trouble == first.trouble)
    }

    @Test(
        "A new pod that is refused its image for want of a password gets time to read its Secret",
        arguments: [
            (10, "ErrImagePull", "failed with status code [manifests sha256:0]: 401 Unauthorized", true),
            (10, "ImagePullBackOff", "Back-off pulling", true), (10, "ErrImagePull", "manifest unknown", false),
            (25, "ErrImagePull", "401 Unauthorized", false), (25, "ImagePullBackOff", "Back-off pulling", false),
        ])
    func pullGrace(age: Int64, reason: String, message: String, isWaitedFor: Bool) throws {
        var pod = try Self.pod(
            "a", Self.container(#"{"waiting": {"reason": "\#(reason)", "message": "\#(message)"}}"#))
        pod.metadata.creationTimestamp = Time(Timestamp(secondsSinceEpoch: 1_800_000_000 - age))

        let diagnosis = Self.diagnose([pod])

        #expect((diagnosis.trouble == nil) == isWaitedFor)
        #expect(diagnosis.recheckAfter == (isWaitedFor ? .seconds(16) : nil))
    }

    @Test("The end of long last words is kept, cut between characters")
    func lastWords() throws {
        let words = String(repeating: "é", count: 3000) + "the end"
        let pod = try Self.pod("a", Self.container(#"{"terminated": {"exitCode": 1, "message": "\#(words)"}}"#))

        let diagnosis = Self.diagnose([pod])

        let message = try #require(diagnosis.trouble?.message)
        #expect(message.utf8.count < 1300)
        #expect(message.hasSuffix("the end"))
        #expect(!message.contains("\u{FFFD}"))
    }

    private static func pod(_ name: String, _ status: String) throws -> Pod {
        let metadata = ObjectMeta(name: name, annotations: [FunctionChildren.templateHash: "new"])
        return Pod(metadata: metadata, status: try JSONReader().decode(PodStatus.self, from: Array(status.utf8)))
    }
}
