import HTTP
import JSON
import Scaling

/// Asks gateways how busy functions are.
struct GatewayLoads: Sendable {
    /// A report has some hundred bytes for each function that had a call.
    private static let reportBytesMaximum = 16 << 20
    /// Several times what an answer within one cluster takes.
    private static let timeout = Duration.seconds(2)

    private let client = HTTPClient(
        configuration: HTTPClientConfiguration(
            proxy: .none, addresses: .any, connectTimeout: .seconds(1), connectionsPerHostMaximum: 1
        ))

    /// The reports of those that answered.
    ///
    /// - Parameter addresses: Each gateway's internal port, such as `10.0.0.7:9090`.
    func reports(of addresses: [String]) async -> [LoadReport] {
        await withTaskGroup(of: LoadReport?.self) { group in
            for address in addresses {
                group.addTask { await report(of: address) }
            }
            var reports: [LoadReport] = []
            for await report in group {
                if let report { reports.append(report) }
            }
            return reports
        }
    }

    private func report(of address: String) async -> LoadReport? {
        let request = HTTPClientRequest(
            url: "http://\(address)\(LoadReport.path)", timeout: Self.timeout,
            responseBytesMaximum: Self.reportBytesMaximum)
        guard let response = try? await client.send(request), response.status == .ok else { return nil }
        return try? JSONReader().decode(LoadReport.self, from: response.body)
    }
}
