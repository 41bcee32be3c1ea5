import Builds
import CRDs
import Testing

@Suite("Fields of a Function in the labels and annotations of OpenFaaS")
struct OpenFaaSWordsTests {
    @Test(
        "A range of replicas is read as it was written",
        arguments: [
            FunctionScale(), FunctionScale(min: 0), FunctionScale(min: 2, max: 5), FunctionScale(max: 20),
            FunctionScale(min: 0, idleAfter: "5m"),
            FunctionScale(min: 0, max: 4, targetConcurrency: 7, idleAfter: "15m", downAfter: "2m"),
            FunctionScale(max: 4, targetConcurrency: 1),
        ])
    func scale(scale: FunctionScale) throws {
        var labels = ScaleLabels(ScaleLabels.labels(of: scale))

        let read = try labels.scale(replicasMaximum: 50)

        #expect(read ?? FunctionScale() == scale)
        #expect(labels.ignored.isEmpty)
    }

    @Test(
        "A health check is read as it was written",
        arguments: [
            FunctionHealth(path: "/ping"), FunctionHealth(path: "/a", readyPath: "/b", initialDelay: "2s"),
            FunctionHealth(readyPath: "/b"),
        ])
    func health(health: FunctionHealth) {
        #expect(HealthAnnotations.health(HealthAnnotations.annotations(of: health)) == health)
    }

    @Test(
        "Further tries are read as they were written",
        arguments: [
            FunctionAsync(attempts: 3),
            FunctionAsync(attempts: 0, retryMinimum: "1s", retryMaximum: "1m", retryStatuses: [429, 500, 503]),
        ])
    func calls(calls: FunctionAsync) throws {
        #expect(try RetryAnnotations.calls(RetryAnnotations.annotations(of: calls)) == calls)
    }

    @Test("A port is a number that a port can have", arguments: ["", "0", "65536", "-1", "3000 ", "http"])
    func ports(text: String) throws {
        #expect(throws: PortAnnotation.Invalid.self) { try PortAnnotation.port([PortAnnotation.key: text]) }
        #expect(try PortAnnotation.port([PortAnnotation.key: "3000"]) == 3000)
        #expect(try PortAnnotation.port([:]) == nil)
    }
}
