import Glibc
import Telemetry
import Testing

@Suite("Metrics")
struct MetricsTests {
    @Test("The text is exactly what Prometheus's format says")
    func exposition() {
        let registry = MetricsRegistry()
        let requests = registry.counter("requests_total", "Requests,\nby \\ code.", labels: ["code", "path"])
        requests.labels("500", "a\"b\\c\nd").increment()
        requests.labels("200", "/").increment(by: 41)
        requests.labels("200", "/").increment()
        registry.gauge("depth", "Queue depth.").labels().set(2.5)
        let seconds = registry.histogram("seconds", "Time.", labels: ["op"], buckets: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7, .nan] { seconds.labels("get").observe(value) }
        registry.observe("reading", "Read late.") { 1e20 }
        registry.observe("replicas", "Read late, too.", label: "of") { ["b": 2, "a\"": 0.5] }
        registry.observe("absent", "Not there.") { nil }

        let text = String(decoding: registry.render(), as: UTF8.self)

        #expect(
            text == #"""
                # HELP depth Queue depth.
                # TYPE depth gauge
                depth 2.5
                # HELP reading Read late.
                # TYPE reading gauge
                reading 1e+20
                # HELP replicas Read late, too.
                # TYPE replicas gauge
                replicas{of="a\""} 0.5
                replicas{of="b"} 2
                # HELP requests_total Requests,\nby \\ code.
                # TYPE requests_total counter
                requests_total{code="200",path="/"} 42
                requests_total{code="500",path="a\"b\\c\nd"} 1
                # HELP seconds Time.
                # TYPE seconds histogram
                seconds_bucket{op="get",le="0.1"} 2
                seconds_bucket{op="get",le="1"} 3
                seconds_bucket{op="get",le="+Inf"} 4
                seconds_sum{op="get"} 7.65
                seconds_count{op="get"} 4

                """#)
    }

    @Test("A name asked for again is the same family, and labels the same series")
    func sameFamily() {
        let registry = MetricsRegistry()

        let first = registry.counter("x_total", "X.", labels: ["a"])
        let second = registry.counter("x_total", "X.", labels: ["a"])

        #expect(first === second)
        #expect(first.labels("1") === second.labels("1"))
        #expect(first.labels("1") !== first.labels("2"))
    }

    @Test("Beyond the bound new label values share one series, and removal makes room")
    func cardinality() {
        let registry = MetricsRegistry()
        let family = registry.counter("x_total", "X.", labels: ["a"], seriesMaximum: 2)
        family.labels("1").increment()
        family.labels("2").increment()

        for value in 3...1000 { family.labels(String(value)).increment() }
        family.remove("1")
        family.remove("other")
        family.labels("1001").increment()

        let lines = String(decoding: registry.render(), as: UTF8.self).split(separator: "\n").dropFirst(2)
        #expect(lines == [#"x_total{a="1001"} 1"#, #"x_total{a="2"} 1"#])
        #expect(family.labels("5") === family.labels("6"))
    }

    @Test("A long label value is cut")
    func longLabel() {
        let registry = MetricsRegistry()
        let family = registry.gauge("x", "X.", labels: ["a"])

        family.labels(String(repeating: "é", count: 10_000)).set(1)

        #expect(registry.render().count < 400)
    }

    @Test("Nothing is lost when threads count at once")
    func threads() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("x_total", "X.").labels()
        let gauge = registry.gauge("y", "Y.").labels()
        let histogram = registry.histogram("z", "Z.", buckets: [10]).labels()

        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        gauge.increment()
                        histogram.observe(.seconds(2))
                    }
                }
            }
        }
        gauge.decrement()

        #expect(counter.value == 80_000)
        #expect(gauge.value == 79_999)
        #expect(histogram.count == 80_000)
        #expect(histogram.sum == 160_000)
    }

    @Test("Process metrics tell about this process")
    func process() throws {
        let registry = MetricsRegistry()
        registry.registerProcessMetrics()

        let values = samples(registry)

        #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_virtual_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_cpu_seconds_total"]) > 0)
        #expect(try #require(values["process_threads"]) >= 1)
        #expect(try #require(values["process_max_fds"]) > 0)
        #expect(try #require(values["process_open_fds"]) >= 1)
        let age = Double(time(nil)) - (try #require(values["process_start_time_seconds"]))
        #expect((-2.0...86_400).contains(age))
    }

    private func samples(_ registry: MetricsRegistry) -> [String: Double] {
        var values: [String: Double] = [:]
        for line in String(decoding: registry.render(), as: UTF8.self).split(separator: "\n") where line.first != "#" {
            let words = line.split(separator: " ")
            guard words.count == 2 else { continue }
            values[String(words[0])] = Double(words[1])
        }
        return values
    }
}
