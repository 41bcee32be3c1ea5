import Builds
import HTTP
import JSON
import KubernetesTypes
import Testing

@testable import BuildService

@Suite("An order of the Function Builder API")
struct BuildOrderTests {
    private static let rules = BuildOrder.Rules(platforms: ["linux/amd64", "linux/arm64"])

    private func order(_ json: String, rules: BuildOrder.Rules = rules) throws -> BuildOrder {
        try BuildOrder(parsing: Array(json.utf8), rules: rules)
    }

    @Test("is read in every variant that clients write")
    func variants() throws {
        let plain = try order(#"{"image":"registry.test/team/fn:1"}"#)
        let cloud = try order(#"{"ref":"registry.test/Team/Fn:V1","frontend":"dockerfile.v0","buildArgs":null}"#)
        let full = try order(
            #"{"image":"ttl.sh/x:2h","buildArgs":{"ADDITIONAL_PACKAGE":"","A":"b=c"},"platforms":[""],"skipPush":true,"#
                + #""extra":[1,{"x":null}]}"#)

        #expect(plain.arguments.isEmpty && plain.platforms.isEmpty && plain.pushes)
        #expect(cloud.requestedImage == "registry.test/Team/Fn:V1")
        #expect(cloud.image.description == "registry.test/team/fn:V1")
        #expect(full.arguments == ["ADDITIONAL_PACKAGE": "", "A": "b=c"])
        #expect(full.platforms.isEmpty && !full.pushes)
    }

    @Test("leaves the builder's own platform unsaid, and says others")
    func platforms() throws {
        let own = try order(#"{"image":"a/b","platforms":["\#(BuildOrder.ownPlatform)"]}"#)
        let both = try order(#"{"image":"a/b","platforms":["linux/arm64","linux/amd64","linux/arm64"]}"#)

        #expect(own.platforms.isEmpty)
        #expect(both.platforms == ["linux/arm64", "linux/amd64"])
    }

    @Test(
        "is refused with a reason when a field has another type or cannot be",
        arguments: [
            ("", "not JSON"), ("{", "not JSON"), ("[]", "object"), ("{}", "must name an image"),
            (#"{"image":""}"#, "must name an image"), (#"{"image":7}"#, "image must be a string"),
            (#"{"image":"a b/c"}"#, "image:"), (#"{"image":"a/b@sha256:00"}"#, "image:"),
            (#"{"image":"x","buildArgs":[]}"#, "buildArgs must be an object"),
            (#"{"image":"x","buildArgs":{"A":1}}"#, "must be a string"),
            (#"{"image":"x","buildArgs":{"A=B":"1"}}"#, "no usable name"),
            (#"{"image":"x","platforms":"linux/amd64"}"#, "platforms must be an array"),
            (#"{"image":"x","platforms":[1]}"#, "platforms must be an array"),
            (#"{"image":"x","platforms":["plan9/mips"]}"#, "cannot be built here, only linux/amd64, linux/arm64"),
            (#"{"image":"x","skipPush":"yes"}"#, "skipPush must be true or false"),
        ])
    func refused(json: String, reason: String) throws {
        let refusal = #expect(throws: BuildRefusal.self) { try order(json) }

        #expect(refusal?.status == .badRequest)
        #expect(refusal?.message.contains(reason) == true, "\(refusal?.message ?? "")")
    }

    @Test("may push only where the administrator says")
    func allowed() throws {
        var rules = Self.rules
        rules.allowedImages = ["registry.test/team/"]

        let good = try order(#"{"image":"registry.test/team/fn:1"}"#, rules: rules)
        let refusal = #expect(throws: BuildRefusal.self) {
            try order(#"{"image":"registry.test/team-evil/fn:1"}"#, rules: rules)
        }

        #expect(good.image.name == "registry.test/team/fn")
        #expect(refusal?.status == .forbidden)
    }

    @Test("survives in a Job's annotation")
    func annotation() throws {
        let digest = String(repeating: "ab", count: 32)
        let text = #"{"image":"ttl.sh/X/y:2h","buildArgs":{"A":"1"},"platforms":["linux/arm64"],"skipPush":true}"#
        let task = BuildTask(order: try order(text), contextDigest: digest, key: [1])

        let read = BuildTask(id: task.id, annotation: task.annotation, rules: Self.rules)

        #expect(read == task)
        #expect(BuildTask(id: task.id, annotation: "{}", rules: Self.rules) == nil)
        #expect(BuildTask(id: "x", annotation: task.annotation, rules: Self.rules) == nil)
    }
}

@Suite("The admission of builds")
struct BuildAdmissionTests {
    @Test("lets so many in, lets so many wait in order, and turns the rest away")
    func order() {
        var admission = BuildAdmission(inflightMaximum: 2, queueMaximum: 2)

        let answers = ["a", "b", "c", "d", "e", "c", "a"].map { admission.enter($0) }

        #expect(answers == [.begin, .begin, .wait(before: 0), .wait(before: 1), .full, .wait(before: 0), .begin])
        #expect(admission.isFull)
        #expect(admission.leave("b") == ["c"])
        #expect(admission.leave("unknown") == [])
        #expect(admission.leave("d") == [])
        #expect(!admission.isFull)
        #expect(admission.enter("e") == .wait(before: 0))
    }

    @Test("counts builds of an earlier process beyond the limit, and lets nobody in before they are gone")
    func adopted() {
        var admission = BuildAdmission(inflightMaximum: 1, queueMaximum: 1)
        admission.adopt("x")
        admission.adopt("y")

        #expect(admission.enter("a") == .wait(before: 0))
        #expect(admission.leave("x") == [])
        #expect(admission.leave("y") == ["a"])
    }

    @Test("without a queue turns away at once")
    func withoutQueue() {
        var admission = BuildAdmission(inflightMaximum: 1, queueMaximum: 0)

        #expect(admission.enter("a") == .begin)
        #expect(admission.isFull)
        #expect(admission.enter("b") == .full)
    }
}

@Suite("A build's plain log")
struct PlainProgressTests {
    private static let time = "2026-11-20T12:00:00.123456789Z"

    @Test("becomes the lines that builders of this API send")
    func lines() {
        let log = [
            "#1 [internal] load build definition from Dockerfile", "#1 transferring dockerfile: 31B done",
            "#1 DONE 0.1s",
            "", "#5 [2/3] RUN make", "#5 0.213 hello  world", "#5 ...", "#6 [1/3] FROM x", "#6 CACHED",
            "#5 [2/3] RUN make",
            "#5 1.5 more", "#5 DONE 12s", "#7 ERROR: no name", "#7 ERROR: process", "warning: odd", "#x", "#8",
        ]
        var progress = PlainProgress()

        let lines = log.flatMap { progress.take(LogLine(time: Self.time, text: Array($0.utf8))) }

        let t = "2026-11-20T12:00:00Z"
        #expect(
            lines == [
                "v: \(t) [internal] load build definition from Dockerfile", "s: \(t) transferring dockerfile: 31B done",
                "v: \(t) [internal] load build definition from Dockerfile 0.10s", "v: \(t) [2/3] RUN make",
                "l: \(t) hello  world", "v: \(t) [1/3] FROM x", "v: \(t) [1/3] FROM x CACHED", "l: \(t) more",
                "v: \(t) [2/3] RUN make 12.00s", "v: \(t) ERROR: no name", "v: \(t) ERROR: no name ERROR: process",
                "l: \(t) warning: odd", "l: \(t) #x",
            ])
    }
}

@Suite("Answers of the Function Builder API")
struct BuildAnswerTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("are written as clients compare them")
    func words() {
        let good = BuildResult(image: "a/b:1", outcome: .success(digest: "sha256:x"), duration: .milliseconds(1086))
        let bad = BuildResult(image: "a/b:1", outcome: .failure("no"), duration: .milliseconds(4))

        #expect(
            text(BuildAnswer.end(good))
                == #"{"digest":"sha256:x","duration":1.086,"image":"a/b:1","status":"success"}"# + "\n")
        #expect(
            text(BuildAnswer.end(bad))
                == #"{"duration":0.004,"error":"no","image":"a/b:1","status":"failed"}"# + "\n")
        var interrupted = bad
        interrupted.isInterrupted = true
        #expect(
            text(BuildAnswer.end(interrupted))
                == #"{"duration":0.004,"error":"no","image":"a/b:1","interrupted":true,"status":"failed"}"# + "\n")
        #expect(
            BuildAnswer.progress(["v: one", "v: two"], seconds: 0.004).map(text)
                == [#"{"duration":0.004,"log":["v: one","v: two"],"status":"in_progress"}"# + "\n"])
        #expect(BuildAnswer.progress([], seconds: 2).map(text) == [#"{"duration":2.0,"status":"in_progress"}"# + "\n"])
        #expect(
            JSONWriter().string(BuildAnswer.whole(bad, log: ["l: x"]))
                == #"{"duration":0.004,"error":"no","image":"a/b:1","log":["l: x","no"],"status":"failed"}"#)
    }

    @Test(
        "have no line that clients cannot read, whatever a build prints",
        arguments: ["x", "\u{1}", "\"", "ü", "😀", "\u{2028}"])
    func longLines(character: String) throws {
        let log = [String(repeating: character, count: 200_000), "", "short"] + Array(repeating: "line", count: 20_000)

        let lines = BuildAnswer.progress(log, seconds: 1)

        #expect(lines.allSatisfy { $0.count < 65_536 && $0.last == 0x0A && !$0.dropLast().contains(0x0A) })
        let read = try lines.flatMap { try JSONReader().parse($0)["log"]?.arrayValue ?? [] }.compactMap(\.stringValue)
        #expect(read.joined() == log.joined())
        let reason = BuildResult(
            image: "a", outcome: .failure(String(repeating: character, count: 100_000)), duration: .zero)
        #expect(BuildAnswer.end(reason).count < 65_536)
    }

    @Test("keep the end of a log that is longer than an answer may be")
    func keptLog() {
        var log = KeptLog(bytesMaximum: 100)

        for number in 0..<1000 { log.take(["line \(number)"]) }
        let kept = log.finish()

        #expect(kept.last == "line 999")
        #expect(kept.first?.hasSuffix("lines before this are not kept)") == true)
        #expect(kept.count < 15)
    }
}

@Suite("A value that is waited for", .timeLimit(.minutes(10)))
struct ObservedTests {
    @Test("tells everybody who waits of the last change, and lets go of whoever is cancelled")
    func waiting() async throws {
        let observed = Observed(0)
        let waiters = (0..<20).map { _ in Task { try await observed.wait { $0 == 3 } } }
        let cancelled = Task { try await observed.wait { $0 == 100 } }

        cancelled.cancel()
        for value in 1...3 { observed.set(value) }

        for waiter in waiters { #expect(try await waiter.value == 3) }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(!observed.change { $0 == 3 ? nil : 4 })
        #expect(try await observed.next(after: 0).value == 3)
    }
}
