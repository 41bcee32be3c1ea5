import CRDs
import Cryptography
import HTTP
import JSON
import Synchronization
import Testing

@testable import Builds

@Suite("A registry that hands out tokens")
struct RegistryTokenTests {
    /// A registry on loopback that wants a token from its own token service, and tells what it was asked.
    private final class TokenRegistry: Sendable {
        let server: HTTPServer
        let name: String
        let asked = Mutex<[String]>([])
        /// What was sent to the token service.
        let form = Mutex("")
        private let port = Mutex<UInt16>(0)

        init(realm: @escaping @Sendable (UInt16) -> String, token: JSONValue) throws {
            var configuration = HTTPServerConfiguration()
            configuration.address = "127.0.0.1"
            let box = Box()
            server = HTTPServer(configuration: configuration) { request in
                guard let owner = box.owner.withLock({ $0 }) else { return HTTPResponse(.notFound) }
                let body = (try? await request.body.collect(maximumBytes: 1 << 16)) ?? []
                if request.method == .post { owner.form.withLock { $0 = String(decoding: body, as: UTF8.self) } }
                return owner.answer(request, realm: realm, token: token)
            }
            let port = try server.start()
            name = "127.0.0.1:\(port)"
            self.port.withLock { $0 = port }
            box.owner.withLock { $0 = self }
        }

        private final class Box: Sendable {
            let owner = Mutex<TokenRegistry?>(nil)
        }

        private func answer(
            _ request: HTTPRequest, realm: (UInt16) -> String, token: JSONValue
        ) -> HTTPResponse {
            let authorization = request.headers["Authorization"] ?? "-"
            asked.withLock { $0.append("\(request.method) \(request.target) \(authorization)") }
            if request.path == "/token" { return .json(.ok, token) }
            guard authorization == "Bearer good" else {
                let challenge = "Bearer realm=\"\(realm(port.withLock { $0 }))\",service=\"here\""
                return HTTPResponse(.unauthorized, headers: HTTPHeaders([("WWW-Authenticate", challenge)]))
            }
            return HTTPResponse(
                .ok,
                headers: HTTPHeaders([
                    ("Content-Type", "application/vnd.oci.image.index.v1+json"),
                    ("Docker-Content-Digest", "sha256:" + BuildJobTests.digest),
                ]))
        }
    }

    private func ask(
        _ registry: TokenRegistry, entry: String = #"{"username":"bob","password":"secret"}"#
    ) async throws -> String {
        let client = RegistryClient(
            client: HTTPClient(),
            configuration: RegistryClient.Configuration(insecureRegistries: [registry.name], timeout: .seconds(60)))
        let config = #"{"auths":{"\#(registry.name)":\#(entry)}}"#
        return try await client.digest(
            of: ImageReference(parsing: "\(registry.name)/alice/fn:v1"),
            credentials: RegistryCredentials(dockerConfig: Array(config.utf8)))
    }

    @Test("gets the password, and then its own token back", arguments: ["token", "access_token"])
    func dance(field: String) async throws {
        let registry = try TokenRegistry(
            realm: { "http://127.0.0.1:\($0)/token" }, token: JSONValue([field: "good"]))

        let digest = try await ask(registry)

        #expect(digest == "sha256:" + BuildJobTests.digest)
        let basic = "Basic " + Base64.encode(Array("bob:secret".utf8))
        #expect(
            registry.asked.withLock { $0 } == [
                "HEAD /v2/alice/fn/manifests/v1 -",
                "GET /token?service=here&scope=repository:alice/fn:pull \(basic)",
                "HEAD /v2/alice/fn/manifests/v1 Bearer good",
            ])
        await registry.server.shutdown(grace: .zero)
    }

    @Test("gets an identity token by a form, and no password", arguments: ["", #""auth":"PHRva2VuPjo=","#])
    func identityToken(auth: String) async throws {
        let registry = try TokenRegistry(realm: { "http://127.0.0.1:\($0)/token" }, token: ["access_token": "good"])

        let digest = try await ask(registry, entry: #"{\#(auth)"identitytoken":"re fresh&"}"#)

        #expect(digest == "sha256:" + BuildJobTests.digest)
        #expect(registry.asked.withLock { $0 }.dropFirst().first == "POST /token -")
        #expect(
            registry.form.withLock { $0 }
                == "grant_type=refresh_token&client_id=farebox&refresh_token=re%20fresh%26&service=here"
                + "&scope=repository:alice/fn:pull")
        await registry.server.shutdown(grace: .zero)
    }

    @Test(
        "that answers nonsense gets no further",
        arguments: [["token": "bad"], [:], ["token": ""], ["token": "a\r\nX: y"], ["token": 7]] as [JSONValue])
    func nonsense(token: JSONValue) async throws {
        let registry = try TokenRegistry(realm: { "http://127.0.0.1:\($0)/token" }, token: token)

        await #expect(throws: RegistryError.self) { try await ask(registry) }

        await registry.server.shutdown(grace: .zero)
    }
}
