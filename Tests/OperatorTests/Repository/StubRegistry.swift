import HTTP
import Synchronization

/// A registry on loopback that has every image it is asked for by digest, unless the test says otherwise.
final class StubRegistry: Sendable {
    private let server: HTTPServer
    let name: String
    private let status = Status()

    private final class Status: Sendable {
        let code = Mutex(200)
        let removed = Mutex<[String]>([])
    }

    init() throws {
        let status = status
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        server = HTTPServer(configuration: configuration) { request in
            let code = status.code.withLock { $0 }
            if request.method == .delete {
                status.removed.withLock { $0.append(request.path) }
                return HTTPResponse(HTTPStatus(code == 200 ? 202 : code))
            }
            guard code == 200, let digest = request.path.split(separator: "/").last else {
                return HTTPResponse(HTTPStatus(code))
            }
            return HTTPResponse(
                .ok,
                headers: HTTPHeaders([
                    ("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
                    ("Docker-Content-Digest", String(digest)),
                ]))
        }
        name = "127.0.0.1:\(try server.start())"
    }

    /// Answers everything with this status from now on.
    func answer(_ code: Int) { status.code.withLock { $0 = code } }

    /// The manifests that were deleted, as repository and digest.
    var removed: [String] {
        status.removed.withLock { $0 }.map { $0.replacing("/v2/", with: "").replacing("/manifests/", with: "@") }
    }

    func stop() async { await server.shutdown(grace: .zero) }
}
