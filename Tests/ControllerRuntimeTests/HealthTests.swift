import HTTP
import Synchronization
import Testing

@testable import ControllerRuntime

@Suite("Health checks")
struct HealthTests {
    func handler(cachesAreThere: Bool = true) -> HealthHandler {
        let liveness = HealthChecks(name: "healthz")
        liveness.add("ping") { true }
        let readiness = HealthChecks(name: "readyz")
        readiness.add("informers") { cachesAreThere }
        readiness.add("ping") { true }
        return HealthHandler(checks: [liveness, readiness]) { Array("metrics\n".utf8) }
    }

    @Test(
        "Healthy parts answer as Kubernetes components do",
        arguments: [
            ("/healthz", "", 200, "ok"),
            ("/healthz/", "", 200, "ok"),
            ("/healthz/ping", "", 200, "ok"),
            ("/readyz", "verbose", 200, "[+]informers ok\n[+]ping ok\nreadyz check passed\n"),
            ("/readyz", "verbose=1&exclude=ping", 200, "[+]informers ok\n[+]ping excluded: ok\nreadyz check passed\n"),
            ("/readyz/none", "", 404, "no such check\n"),
        ])
    func healthy(path: String, query: String, status: Int, text: String) {
        #expect(handler().answer(path: path, query: query) == HealthChecks.Answer(status: status, text: text))
    }

    @Test(
        "A failing check is named and its reason withheld, unless it is excluded",
        arguments: [
            ("/healthz", "", 200, "ok"),
            ("/readyz", "", 500, "[-]informers failed: reason withheld\n[+]ping ok\nreadyz check failed\n"),
            ("/readyz/informers", "", 500, "internal server error: reason withheld\n"),
            ("/readyz", "exclude=informers", 200, "ok"),
        ])
    func failing(path: String, query: String, status: Int, text: String) {
        let answer = handler(cachesAreThere: false).answer(path: path, query: query)

        #expect(answer == HealthChecks.Answer(status: status, text: text))
    }

    @Test("An exclusion of nothing is pointed out without repeating what was asked")
    func unknownExclusion() {
        let answer = handler().answer(path: "/readyz", query: "verbose&exclude=%3Cscript%3E")

        #expect(answer?.text.contains("warn: some health checks cannot be excluded") == true)
        #expect(answer?.text.contains("script") == false)
    }

    @Test("Other paths are nobody's", arguments: ["/", "", "/health", "/healthz/ping/more", "//", "/../healthz"])
    func otherPaths(path: String) {
        #expect(handler().answer(path: path, query: "") == nil)
    }

    @Test("The failing checks can be listed for the log")
    func failingNames() {
        let checks = HealthChecks(name: "readyz")
        let isUp = Mutex(false)
        checks.add("a") { true }
        checks.add("b") { isUp.withLock { $0 } }
        let before = checks.failing

        isUp.withLock { $0 = true }

        #expect(before == ["b"])
        #expect(checks.failing.isEmpty)
    }
}
