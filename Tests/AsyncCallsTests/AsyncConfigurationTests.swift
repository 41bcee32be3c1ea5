import JSON
import Testing

@testable import AsyncCalls

@Suite("The configuration of calls that do not wait")
struct AsyncConfigurationTests {
    private func read(_ text: String) throws -> AsyncConfiguration {
        try JSONReader().decode(AsyncConfiguration.self, from: Array(text.utf8))
    }

    @Test("The defaults are right, and each field is taken")
    func takes() throws {
        let defaults = try read("{}")
        let given = try read(
            """
            {"nats": {"servers": ["nats://a:4222"], "prefix": "X", "replicas": 3}, "concurrency": 7, "attemptsMaximum": 3,
             "retryMinimum": "1s", "retryMaximum": "4s", "timeout": "1m", "bodyBytesMaximum": 10, "enabled": false}
            """)

        #expect(defaults.validate().isEmpty && defaults.enabled && defaults.settings.concurrency == 2)
        #expect(given.validate().isEmpty && !given.enabled && given.settings.concurrency == 7)
        #expect(given.settings.retry == RetryPolicy(attemptsMaximum: 3, minimum: .seconds(1), maximum: .seconds(4)))
        #expect(given.nats?.prefix == "X" && given.nats?.replicas == 3 && given.timeoutSpan == .seconds(60))
    }

    @Test(
        "What is wrong is named",
        arguments: [
            (#"{"sqlite": "calls.db"}"#, "sqlite"), (#"{"sqlite": "/a", "nats": {"servers": ["nats://a"]}}"#, "nats"),
            (#"{"nats": {"servers": []}}"#, "nats.servers"), (#"{"nats": {"servers": ["http://a"]}}"#, "nats.servers"),
            (#"{"nats": {"servers": ["tls://a"], "prefix": "a.b"}}"#, "nats.prefix"),
            (#"{"nats": {"servers": ["tls://a"], "replicas": 9}}"#, "nats.replicas"),
            (#"{"concurrency": 0}"#, "concurrency"), (#"{"attemptsMaximum": -1}"#, "attemptsMaximum"),
            (#"{"timeout": "soon"}"#, "timeout"), (#"{"retryMinimum": "0s"}"#, "retryMinimum"),
            (#"{"bodyBytesMaximum": 99999999999}"#, "bodyBytesMaximum"),
            (#"{"callbackAllowedCIDRs": ["everywhere"]}"#, "callbackAllowedCIDRs"),
        ])
    func names(text: String, field: String) throws {
        let problems = try read(text).validate()

        #expect(problems.count == 1 && problems.first?.contains(field) == true, "\(problems)")
    }
}
