import CRDs
import Commands
import HTTP
import JSON
import KubernetesTypes
import Testing
import Timing

@testable import CommandLine

@Suite("Commands about functions, without a cluster")
struct FunctionCommandTests {
    static func function(
        _ conditions: [(String, ConditionStatus, String)] = [], generation: Int64 = 1, observed: Int64? = 1,
        change: (inout Function) -> Void = { _ in }
    ) -> Function {
        var function = Function(
            metadata: ObjectMeta(name: "hello", namespace: "team"), spec: FunctionSpec(image: "r/hello:1"))
        function.metadata.generation = generation
        var status = FunctionStatus()
        status.observedGeneration = observed
        status.conditions = conditions.map {
            Condition(type: $0.0, status: $0.1, reason: $0.2, message: "because")
        }
        function.status = status
        change(&function)
        return function
    }

    @Test(
        "A function's state is one word that says what to make of it",
        arguments: [
            (function([("Ready", .true, "Available")]), "Ready", Table.Mood.good),
            (function([("Ready", .true, "ScaledToZero")]), "ScaledToZero", .good),
            (function([("Ready", .true, "Available")], generation: 2), "Pending", .waiting),
            (function([("Ready", .false, "RollingOut"), ("Reconciling", .true, "x")]), "RollingOut", .waiting),
            (function([("Ready", .false, "CrashLoop"), ("Stalled", .true, "CrashLoop")]), "CrashLoop", .bad),
            (function([], observed: nil), "Pending", .waiting),
        ])
    func state(function: Function, word: String, mood: Table.Mood) {
        let state = FunctionState(function)

        #expect(state.word == word)
        #expect(state.mood == mood)
    }

    @Test("A wait ends when a function is ready or cannot become so")
    func verdicts() {
        guard case .ready = FunctionWait.verdict(Self.function([("Ready", .true, "Available")])) else {
            return #expect(Bool(false))
        }
        guard case .waiting = FunctionWait.verdict(Self.function([("Ready", .true, "Available")], generation: 2)) else {
            return #expect(Bool(false))
        }
        let stalled = Self.function([("Stalled", .true, "ImagePullFailed")])
        guard case .failed(let failure) = FunctionWait.verdict(stalled) else { return #expect(Bool(false)) }
        #expect(failure.description.contains("ImagePullFailed: because"))
    }

    @Test(
        "A number of replicas outside of the range is refused",
        arguments: [(0, nil, nil, true), (0, 1, nil, false), (5, 1, 4, false), (4, 1, 4, true), (1, nil, nil, true)]
            as [(Int32, Int32?, Int32?, Bool)])
    func scale(replicas: Int32, least: Int32?, most: Int32?, isTaken: Bool) {
        let function = Self.function { $0.spec.scale = FunctionScale(min: least, max: most) }

        #expect((ScaleCommand.refusal(function, replicas) == nil) == isTaken)
    }

    // MARK: Calls

    private func plan(_ values: [String: [String]]) throws -> InvokePlan {
        try InvokePlan(Options(values, arguments: ["function": ["hello"]]))
    }

    @Test(
        "A call goes to the function's URL, or to the gateway where that is of another machine",
        arguments: [
            ("http://a.example/hello", [:], "http://a.example/hello"),
            ("http://a.example/hello", ["path": ["x?y=1"]], "http://a.example/hello/x?y=1"),
            ("http://a.example/hello", ["path": ["?y=1"]], "http://a.example/hello?y=1"),
            ("http://localhost:8080/function/hello.team", [:], nil),
            (
                "http://localhost:8080/function/hello.team", ["via": ["url"]],
                "http://localhost:8080/function/hello.team"
            ),
            ("http://127.0.0.1/h", [:], nil), ("http://[::1]:80/h", [:], nil), ("", [:], nil),
            ("http://a.example/hello", ["via": ["cluster"]], nil), ("http://a.example/hello", ["async": [""]], nil),
        ] as [(String, [String: [String]], String?)])
    func directURL(url: String, options: [String: [String]], expected: String?) throws {
        let function = Self.function { $0.status?.url = url }

        #expect(try plan(options).directURL(of: function) == expected)
    }

    @Test("At the gateway a function has its name, its namespace and the rest of the path")
    func forwarded() throws {
        let function = Self.function()

        #expect(try plan(["path": ["/a"]]).forwardedTarget(of: function.key) == "/function/hello.team/a")
        #expect(try plan(["async": [""]]).forwardedTarget(of: function.key) == "/async-function/hello.team")
    }

    @Test(
        "The method follows from what is sent",
        arguments: [
            ([:], "GET"), (["data": ["x"]], "POST"), (["async": [""]], "POST"),
            (["method": ["put"], "data": ["x"]], "PUT"),
        ] as [([String: [String]], String)])
    func method(options: [String: [String]], method: String) throws {
        #expect(try plan(options).method.rawValue == method)
    }

    @Test(
        "What cannot be sent is refused before anybody is asked",
        arguments: [
            ["header": ["no colon"]], ["header": ["bad name: x"]], ["path": ["a b"]], ["path": ["/é"]],
            ["path": ["/a#b"]],
            ["method": ["G T"]], ["timeout": ["soon"]], ["timeout": ["-1s"]], ["via": ["sea"]],
        ])
    func refusesCalls(options: [String: [String]]) {
        #expect(throws: UsageError.self) { try plan(options) }
    }

    @Test(
        "An answer's status decides how the process ends",
        arguments: [(200, 0), (302, 0), (402, 4), (403, 4), (404, 1), (500, 1), (503, 1), (504, 5)])
    func codes(status: Int, code: Int) {
        #expect(Int(InvokePlan.failure(status, of: Self.function().key)?.code.rawValue ?? 0) == code)
    }

    // MARK: Earlier images

    private static let digests = (0..<4).map { "r/hello@sha256:" + String(repeating: "\($0)", count: 64) }
    private let history = ImageHistory(
        current: digests[3], rollouts: [(1, digests[1]), (3, digests[3]), (2, digests[2]), (9, "r/hello:latest")],
        remembered: [digests[3], digests[1], digests[0]])

    @Test("Earlier images are listed once each, newest first, by digest only")
    func images() {
        #expect(history.entries.map(\.image) == Self.digests.reversed())
        #expect(history.entries.map(\.source) == ["in use", "rollout 2", "rollout 1", "repository"])
    }

    @Test(
        "One goes back to the image before, or to the one that is named",
        arguments: [(nil, 2), ("000", 0), ("sha256:1", 1), (digests[1], 1)] as [(String?, Int)])
    func target(wish: String?, index: Int) throws {
        #expect(try history.target(wish, of: Self.function()) == Self.digests[index])
    }

    @Test(
        "An image that is not known, in use, or not named clearly is refused",
        arguments: [("9", ExitCode.notFound), ("3333", .refused), ("", .notFound)])
    func noTarget(wish: String, code: ExitCode) {
        let failure = #expect(throws: CommandFailure.self) { try history.target(wish, of: Self.function()) }

        #expect(failure?.code == code)
    }

    @Test("What a repository deploys is its to change")
    func ownership() {
        let function = Self.function { $0.spec.source = FunctionSource(repository: "shop") }

        let failure = #expect(throws: CommandFailure.self) { try Cluster.requireOwn(function, to: "removing it") }

        #expect(failure?.code == .refused)
        #expect(failure?.description.contains("repository shop") == true)
    }
}
