import Commands
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes

/// An answer that is read piece by piece, whichever way it came.
struct ServiceAnswer: Sendable {
    let status: HTTPStatus
    let headers: HTTPHeaders
    /// What was read of the body already.
    private let read: [UInt8]
    private let stream: HTTPClientStream?

    /// Takes an answer that came straight from a Service.
    init(_ stream: HTTPClientStream) {
        status = stream.status
        headers = stream.headers
        read = []
        self.stream = stream
    }

    private init(_ stream: HTTPClientStream, whole body: [UInt8]) {
        status = stream.status
        headers = stream.headers
        read = body
        self.stream = nil
    }

    /// Hands the body on, piece by piece.
    ///
    /// - Throws: `HTTPClientError`, `CancellationError`, and what `take` throws.
    func forEach(_ take: ([UInt8]) throws -> Void) async throws {
        if !read.isEmpty { try take(read) }
        while let piece = try await stream?.next() { try take(piece) }
    }

    /// Takes an answer that came through the API server, and tells the Service's from the API server's own refusal.
    ///
    /// - Parameters:
    ///   - stream: What came.
    ///   - object: What was asked, for messages.
    /// - Throws: `CommandFailure`: the caller lacks the right, or nobody is behind the Service.
    static func forwarded(_ stream: HTTPClientStream, _ object: String) async throws -> ServiceAnswer {
        let isJSON = stream.headers["Content-Type"]?.hasPrefix("application/json") == true
        guard isJSON, [401, 403, 404, 502, 503].contains(stream.status.code) else { return ServiceAnswer(stream) }
        let body = try await stream.collect(bytesMaximum: refusalBytesMaximum)
        guard let value = try? JSONReader().parse(body), value["kind"] == "Status", value["apiVersion"] == "v1" else {
            return ServiceAnswer(stream, whole: body)
        }
        let said = TerminalText.line(value["message"]?.stringValue ?? "")
        switch stream.status.code {
        case 401, 403:
            throw CommandFailure(
                .refused, "\(object): you may not call through the API server: \(said)",
                advice: "ask the administrator for create on services/proxy in \(Cluster.systemNamespace)")
        case 404:
            throw CommandFailure(
                .notFound, "\(object): \(said)", advice: "see whether Farebox is installed: farebox doctor")
        default:
            throw CommandFailure(
                "\(object): \(said)", advice: "see whether it runs: kubectl get pods -n \(Cluster.systemNamespace)")
        }
    }

    /// An answer of these statuses in JSON is read whole, to look whose it is.
    private static let refusalBytesMaximum = 16 << 20
}
