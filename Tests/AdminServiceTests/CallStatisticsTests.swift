import HTTP
import JSON
import RawSockets
import Testing

@testable import AdminService

@Suite("How calls went, for clients of OpenFaaS")
struct CallStatisticsTests {
    private func gateway(_ body: String) throws -> RawServer {
        try RawServer { connection, _ in
            while try await connection.receive(until: "\r\n\r\n").contains("\r\n\r\n") {
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
    }

    private func calls(_ port: UInt16, _ hosts: [String]) throws -> GatewayCalls {
        // Longer than a busy machine keeps a test waiting.
        GatewayCalls(try #require(GatewayAddress("http://gateways:\(port)")), timeout: .seconds(120)) { _ in hosts }
    }

    @Test("What all gateways say is added up")
    func sum() async throws {
        let gateway = try gateway(#"{"functions":{"f.n":{"total":7,"success":3,"failure":1}}}"#)
        let statistics = CallStatistics(
            gateways: try calls(gateway.port, ["127.0.0.1", "127.0.0.1"]), prometheus: nil)

        let counts = try await statistics.counts(of: "f.n", window: .seconds(300))
        let none = try await statistics.counts(of: "other.n", window: .seconds(300))

        #expect(counts == .init(success: 6, failure: 2))
        #expect(none == .init())
        #expect(await statistics.totals() == ["f.n": 14])
        #expect(statistics.windowMaximum == .seconds(3600))
    }

    @Test("A sum that would lack a gateway is none, and a list is not held up by it")
    func away() async throws {
        let refusing = try RefusingPort()
        let nonsense = try gateway("no JSON")
        for calls in [
            try calls(refusing.port, ["127.0.0.1"]), try calls(nonsense.port, ["127.0.0.1"]), try calls(1, []),
        ] {
            let statistics = CallStatistics(gateways: calls, prometheus: nil)

            await #expect(throws: AdminRefusal.self) { try await statistics.counts(of: "f.n", window: .seconds(60)) }
            #expect(await statistics.totals().isEmpty)
        }
    }

    @Test("Prometheus is asked by OpenFaaS' name, and its answer is rounded")
    func prometheus() async throws {
        let answer = """
            {"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"code":"200"},"value":[1.5,"9.6"]},{"metric":{"code":"302"},"value":[1.5,"1"]},
            {"metric":{"code":"502"},"value":[1.5,"2.2"]},{"metric":{"code":"x"},"value":[1.5,"5"]},
            {"metric":{"code":"500"},"value":[1.5,"NaN"]},{"metric":{"code":"500"},"value":[]},{"metric":{}}]}}
            """
        let server = try gateway(answer)

        let counts = try await PrometheusCalls(url: "http://127.0.0.1:\(server.port)/", timeout: .seconds(120)).counts(
            of: "f.n", window: .seconds(900))

        #expect(counts == .init(success: 11, failure: 2))
        #expect(
            PrometheusCalls.query("f.n", .seconds(900))
                == #"sum by (code) (increase(gateway_function_invocation_total{function_name="f.n"}[900s]))"#)
        for wrong: JSONValue in [.null, ["status": "error"], ["status": "success"], ["status": "success", "data": []]] {
            #expect(throws: CallsUnknown.self) { try PrometheusCalls.counts(wrong) }
        }
    }

    @Test("The window is bounded, and a function that is not there has none", .timeLimit(.minutes(10)))
    func route() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            for wrong in ["0s", "59s", "61m", "x", "-5m"] {
                let answer = try await office.send(.get, "/system/metrics?function=hello&window=\(wrong)")
                #expect(answer.status == 400, "\(wrong)")
            }
            #expect(try await office.send(.get, "/system/metrics?function=hello").status == 404)
            #expect(try await office.send(.get, "/system/metrics").status == 400)
        }
    }
}
