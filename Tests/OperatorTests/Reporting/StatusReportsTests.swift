import CRDs
import ControllerRuntime
import GitHosts
import KubernetesTypes
import Testing
import Timing

@testable import Operator

@Suite("What a Git host should show")
struct StatusReportsTests {
    private let old = String(repeating: "a", count: 40)
    private let commit = String(repeating: "b", count: 40)

    private func function(
        _ name: String, _ state: RepositoryFunctionState, _ reason: RepositoryReason? = nil, _ message: String? = nil,
        commit: String? = nil
    ) -> RepositoryFunction {
        var function = RepositoryFunction(name: name, state: state)
        function.commit = commit ?? self.commit
        function.reason = reason?.rawValue
        function.message = message
        return function
    }

    private func lines(
        suffix: String? = nil, url: String = "https://git.example.com/Alice/shop.git",
        stalled: RepositoryReason? = nil, _ change: (inout RepositoryStatus) -> Void
    ) -> [String] {
        reports(suffix: suffix, url: url, stalled: stalled, change).map {
            "\($0.commit.prefix(1)) \($0.report.context) \($0.report.state.rawValue): \($0.report.description)"
        }
    }

    private func reports(
        suffix: String? = nil, url: String = "https://git.example.com/Alice/shop.git",
        stalled: RepositoryReason? = nil, _ change: (inout RepositoryStatus) -> Void
    ) -> [CommitReport] {
        var spec = RepositorySpec(url: url)
        spec.nameSuffix = suffix
        var status = RepositoryStatus()
        status.observedCommit = commit
        if let stalled {
            var conditions = Conditions(observed: [], generation: 1, now: .now)
            conditions.setStalled(reason: stalled.rawValue, message: "")
            status.conditions = conditions.list
        }
        change(&status)
        return StatusReports(
            repository: Repository(metadata: ObjectMeta(name: "shop", namespace: "default"), spec: spec),
            status: status, target: StatusTarget(publicURL: "https://x.com", rootDomain: "x.com")
        ).wanted
    }

    @Test("begins with the repository and ends with it")
    func order() {
        let begun = lines { $0.functions = [function("cart", .building), function("till", .pending)] }
        let halfway = lines { $0.functions = [function("cart", .deployed), function("till", .deploying)] }
        let ended = lines {
            $0.functions = [function("cart", .deployed), function("till", .deployed)]
            $0.deployedCommit = commit
        }

        #expect(
            begun == [
                "b stack-deploy pending: alice-shop stack deploy is in progress",
                "b cart pending: cart function build started",
            ])
        #expect(
            halfway == [
                "b stack-deploy pending: alice-shop stack deploy is in progress",
                "b cart success: deployed: alice-cart",
            ])
        #expect(
            ended == [
                "b cart success: deployed: alice-cart", "b till success: deployed: alice-till",
                "b stack-deploy success: stack is successfully deployed",
            ])
    }

    @Test("names what failed, once nothing is tried any more")
    func failures() {
        let functions = [
            function("a", .failed, .stepFailed, "exit code 7\n#7 boom"), function("b", .deployed),
            function("c", .failed, .nameTaken, "somebody else has it"),
        ]
        let ended = lines(stalled: .stepFailed) { $0.functions = functions }
        let going = lines { $0.functions = functions + [function("d", .building)] }
        let again = lines { $0.functions = [function("a", .failed, .registryUnreachable, "no answer")] }
        let givenUp = lines(stalled: .registryUnreachable) {
            $0.functions = [function("a", .failed, .registryUnreachable, "no answer")]
        }

        #expect(
            ended == [
                "b a failure: Unable to build image, check builder logs: StepFailed: exit code 7",
                "b b success: deployed: alice-b", "b c failure: NameTaken: somebody else has it",
                "b stack-deploy failure: deploy failed: a,c failed to be deployed",
            ])
        #expect(going.first == "b stack-deploy pending: alice-shop stack deploy is in progress")
        #expect(again.last == "b a pending: a is tried again (RegistryUnreachable)")
        #expect(
            givenUp == [
                "b a failure: Unable to build image, check builder logs: RegistryUnreachable: no answer",
                "b stack-deploy failure: deploy failed: a failed to be deployed",
            ])
    }

    @Test("stays a success when a function of a deployed commit falls ill later")
    func deployedStays() {
        let ill = lines(stalled: .functionNotReady) {
            $0.functions = [function("cart", .failed, .functionNotReady, "it crashes")]
            $0.deployedCommit = commit
        }

        #expect(
            ill == [
                "b cart success: deployed: alice-cart", "b stack-deploy success: stack is successfully deployed",
            ])
    }

    @Test("is a success of its own kind when the author wants no build")
    func skipped() {
        let reports = reports {
            $0.history = [RepositoryRun(commit: commit, result: .skipped)]
            $0.functions = [function("cart", .deployed, commit: old)]
        }

        #expect(reports.map(\.report.state) == [.skipped])
        #expect(reports.map(\.report.context) == ["stack-deploy"])
    }

    @Test("is nothing of a commit while the Repository itself cannot work, or is suspended")
    func obstacles() {
        #expect(lines(stalled: .invalid) { _ in } == [])
        #expect(
            lines { status in
                var conditions = Conditions(observed: [], generation: 1, now: .now)
                conditions.set(Conditions.ready, .false, reason: RepositoryReason.suspended.rawValue)
                status.conditions = conditions.list
            } == [])
        #expect(lines { $0.observedCommit = nil } == [])
    }

    @Test("closes commits that were given up, oldest first, and never one that was deployed")
    func overtaken() {
        let lines = lines {
            $0.history = [
                RepositoryRun(commit: old, result: .superseded),
                RepositoryRun(commit: String(repeating: "c", count: 40), result: .deployed),
                RepositoryRun(commit: String(repeating: "d", count: 40), result: .superseded),
                RepositoryRun(commit: commit, result: .superseded),
            ]
            $0.functions = [function("cart", .building, commit: old), function("till", .deployed, commit: old)]
        }

        #expect(
            lines == [
                "d stack-deploy cancelled: superseded by a newer commit",
                "a cart cancelled: superseded by a newer commit",
                "a stack-deploy cancelled: superseded by a newer commit",
                "b stack-deploy pending: alice-shop stack deploy is in progress",
            ])
    }

    @Test("has contexts of its own for each environment")
    func environments() {
        let lines = lines(suffix: "staging") {
            $0.functions = [function("cart", .deployed)]
            $0.deployedCommit = commit
        }

        #expect(
            lines == [
                "b cart-staging success: deployed: alice-cart-staging",
                "b stack-deploy-staging success: stack is successfully deployed",
            ])
    }

    @Test("leads to a page, also of a repository over SSH, and to the log where there is one")
    func targets() {
        let pending = reports(url: "git@git.example.com:Alice/shop.git") { _ in }
        let failed = reports(stalled: .stepFailed) {
            var cart = function("cart", .failed, .stepFailed, "boom")
            cart.logURL = "https://logs.example.com/1?token=x"
            $0.functions = [cart]
        }

        #expect(pending.map(\.report.targetURL) == ["https://git.example.com/Alice/shop.git"])
        #expect(failed.first?.report.targetURL == "https://logs.example.com/1?token=x")
        #expect(failed.first?.report.text == nil, "one line has no more to say")
    }
}
