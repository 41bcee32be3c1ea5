import Cryptography
import HTTP
import Synchronization
import Testing

@testable import Builds

@Suite("AWS signatures", .timeLimit(.minutes(10)))
struct AWSSignatureTests {
    private let signature = AWSSignature(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region: "eu-central-1", service: "s3")

    @Test(
        "A request is signed as Signature Version 4 says, over what is really sent",
        arguments: [
            (HTTPMethod.get, "/bucket/alice/shop/build.log"), (.put, "/bucket/alice/shop/build.log"),
            (.get, "/bucket/group%252Fsub/%252Egithub/a%25%C3%A4"), (.put, "/bucket/group%252Fsub/x"),
            (.delete, "/bucket/x"), (.get, "/bucket?list-type=2&max-keys=3&prefix="),
            (.get, "/bucket?continuation-token=a%3D%2F%2B&list-type=2&max-keys=3&prefix=alex%2F"),
        ])
    func canonical(method: HTTPMethod, target: String) async throws {
        let body: [UInt8]? = method == .put ? Array("a log".utf8) : nil
        let digest = SHA256.hash(of: body ?? []).hex
        let seen = Mutex<HTTPRequest?>(nil)
        var settings = HTTPServerConfiguration()
        settings.address = "127.0.0.1"
        let server = HTTPServer(configuration: settings) { request in
            seen.withLock { $0 = request }
            return HTTPResponse(.ok)
        }
        let port = try server.start()
        let signer = try #require(signature)

        _ = try await HTTPClient().send(
            HTTPClientRequest(
                method, url: "http://127.0.0.1:\(port)\(target)",
                headers: HTTPHeaders([("x-amz-content-sha256", digest), ("Content-Type", "text/plain")]),
                body: body.map { .bytes($0) } ?? .none, signature: signer))

        await server.shutdown(grace: .zero)
        let request = try #require(seen.withLock { $0 })
        let field = try #require(request.headers["Authorization"])
        let wanted = try expected(request, digest: digest, field: field)
        #expect(field == wanted)
        #expect(!field.contains("wJalr"))
    }

    /// What follows the list of signed fields' name.
    private func mark(_ field: String) -> Substring? {
        field.split(separator: " ").first { $0.hasPrefix("SignedHeaders=") }?.dropFirst("SignedHeaders=".count)
    }

    /// What the field has to be, by the specification's steps.
    private func expected(_ request: HTTPRequest, digest: String, field: String) throws -> String {
        let date = try #require(request.headers["x-amz-date"])
        let names = try #require(mark(field)?.prefix { $0 != "," })
        #expect(names.contains("x-amz-content-sha256") && names.contains("x-amz-date") && names.contains("host"))
        let fields = names.split(separator: ";").map { "\($0):\(request.headers[String($0)] ?? "(not sent)")\n" }
            .joined()
        let canonical = [request.method.rawValue, request.path, request.query ?? "", fields, String(names), digest]
            .joined(separator: "\n")
        let scope = "\(date.prefix(8))/eu-central-1/s3/aws4_request"
        let text = ["AWS4-HMAC-SHA256", date, scope, SHA256.hash(of: canonical).hex].joined(separator: "\n")
        var key = Array("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)
        for part in scope.split(separator: "/") { key = HMAC.sha256(key: key, message: Array(part.utf8)) }
        let signature = Hex.encode(HMAC.sha256(key: key, message: Array(text.utf8)))
        return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\(scope), SignedHeaders=\(names), Signature=\(signature)"
    }
}
