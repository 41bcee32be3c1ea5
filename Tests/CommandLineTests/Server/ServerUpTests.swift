import Commands
import HTTP
import OpenSSLTool
import Synchronization
import TLS
import Testing

@testable import CommandLine

@Suite("From a folder to a function by a server's REST API", .timeLimit(.minutes(10)))
struct ServerUpTests {
    private static let digest = "sha256:" + String(repeating: "ab", count: 32)
    private static let built =
        #"{"image":"r.example.com/alice/hello:latest","digest":"\#(digest)","status":"success","duration":1.0}"#

    /// What the server has: nothing at first, then a function that needs a look more to be ready.
    private final class Shelf: Sendable {
        private let state = Mutex<(isThere: Bool, looks: Int)>((false, 0))

        func deploy(_ method: HTTPMethod) -> HTTPResponse {
            state.withLock { state in
                if method == .put, !state.isThere { return .text(.notFound, "there is no function hello\n") }
                state.isThere = true
                return .text(.accepted, "constraints: nothing acts on them\n")
            }
        }

        func look(_ states: [String]) -> HTTPResponse {
            state.withLock { state in
                guard state.isThere else { return .text(.notFound, "there is no function hello\n") }
                defer { state.looks += 1 }
                let word = states[min(state.looks, states.count - 1)]
                return .text(
                    .ok,
                    #"{"name":"hello","namespace":"farebox-functions","image":"i","replicas":1,"availableReplicas":1,"#
                        + #""farebox":\#(word)}"#)
            }
        }
    }

    private static let waits = #"{"ready":false,"stalled":false,"reason":"Starting","message":"starts"}"#
    private static let works = #"{"ready":true,"stalled":false,"reason":"Available","message":""}"#

    /// Types `up` in a folder with one function, for a server that has its builder beside it.
    private func up(
        _ words: [String] = [], states: [String] = [waits, works], hasBuilder: Bool = true
    ) async throws -> (output: String, errors: String, code: Int32, requests: [FakeBuilder.Received]) {
        let place = try ScratchPlace()
        try place.write("key\n", to: "payload.txt")
        try place.write("FROM scratch\n", to: "app/hello/Dockerfile")
        try place.write(
            """
            version: 1.0
            provider: {name: openfaas}
            functions:
              hello:
                lang: dockerfile
                handler: ./hello
                image: hello:latest
                environment: {A: "1"}
                labels: {com.openfaas.scale.max: "3"}
                limits: {memory: 64Mi}
            """, to: "app/stack.yml")
        let shelf = Shelf()
        let server = try FakeBuilder { _, request in
            switch (request.method.rawValue, request.path) {
            case ("POST", "/build"): FakeBuilder.stream([#"{"log":["one"],"status":"in_progress"}"#, Self.built])
            case (_, "/system/functions"): shelf.deploy(request.method)
            case ("GET", "/system/function/hello"): shelf.look(states)
            default: .text(.notFound, "nothing here\n")
            }
        }
        let url = server.url
        let builder = ["--builder", url, "--payload-secret", place.path + "/payload.txt"]
        let done = await typed(
            ["up", place.path + "/app", "--registry", "r.example.com/alice"] + (hasBuilder ? builder : []) + words,
            ["HOME": place.path, "FAREBOX_SERVER": url, "FAREBOX_TOKEN": "t0ken", "TMPDIR": place.path])
        let requests = server.requests
        await server.stop()
        return (
            done.output.replacing(url, with: "URL"), done.errors.replacing(url, with: "URL"), done.code, requests
        )
    }

    @Test("A folder is built by the builder, deployed by digest, waited for, and its URL printed alone")
    func deployed() async throws {
        let (output, errors, code, requests) = try await up()

        #expect(code == 0, "\(errors)")
        #expect(output == "URL/function/hello.farebox-functions\n")
        #expect(errors.contains("one\n"))
        #expect(errors.contains("note: constraints: nothing acts on them"))
        let paths = requests.map { "\($0.method.rawValue) \($0.path)" }
        #expect(
            paths == [
                "GET /system/function/hello", "POST /build", "PUT /system/functions", "POST /system/functions",
                "GET /system/function/hello", "GET /system/function/hello",
            ])
        let body = try #require(requests.first { $0.path == "/system/functions" }).body
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"envVars":{"A":"1"},"image":"r.example.com/alice/hello@\#(Self.digest)","#
                + #""labels":{"com.openfaas.scale.max":"3"},"limits":{"memory":"64Mi"},"service":"hello"}"#)
        #expect(requests.first { $0.path == "/build" }?.headers["Authorization"] == nil)
    }

    @Test("What stalls a function ends the wait, with its reason")
    func stalled() async throws {
        let stalled = #"{"ready":false,"stalled":true,"reason":"SecretMissing","message":"no Secret db"}"#

        let done = try await up(states: [stalled])

        #expect(done.code == 1)
        #expect(done.errors.contains("SecretMissing: no Secret db"))
        #expect(done.output.isEmpty)
    }

    @Test("Without a builder nothing is begun, and it is said what to name")
    func noBuilder() async throws {
        let done = try await up(hasBuilder: false)

        #expect(done.code == 2)
        #expect(done.errors.contains("--builder URL"))
        #expect(done.requests.isEmpty)
    }

    @Test("A field manager is the cluster's business: --force is refused")
    func force() async throws {
        let done = try await up(["--force"])

        #expect(done.code == 2)
        #expect(done.requests.isEmpty)
    }

    // MARK: A certificate authority of one's own

    @Test("A server with a private certificate is trusted by --ca alone, which a login keeps")
    func authorities() async throws {
        let (certificate, key) = try OpenSSLProgram.with { try $0.certificate(for: ["DNS:localhost"]) }
        let place = try ScratchPlace()
        try place.write(String(decoding: certificate, as: UTF8.self), to: "ca.pem")
        try place.write("no certificate", to: "empty.pem")
        let identity = try CertificateIdentity(certificatePEM: certificate, keyPEM: key)
        let server = try FakeBuilder(identity: identity) { _, request in
            .text(.ok, request.path == "/system/info" ? #"{"provider":{}}"# : "[]")
        }
        let (url, home) = (server.secureURL, ["HOME": place.path, "FAREBOX_TOKEN": "t"])
        let recorded = RecordedConsole(variables: home)

        let strange = await typed(["list", "--server", url], home)
        let trusted = await typed(["list", "--server", url, "--ca", place.path + "/ca.pem"], home)
        let wrong = await typed(["list", "--server", url, "--ca", place.path + "/empty.pem"], home)
        let missing = await typed(["list", "--server", url, "--ca", place.path + "/none.pem"], home)
        try await LoginCommand.logIn(to: try ServerAddress(url), .token("t"), recorded.console) {
            $0.authorities = String(decoding: certificate, as: UTF8.self)
        }
        let kept = await typed(["list"], ["HOME": place.path])
        await server.stop()

        #expect(strange.code == 1)
        #expect(strange.errors.contains("certificate"), "\(strange.errors)")
        #expect(trusted.code == 0, "\(trusted.errors)")
        #expect(wrong.code == 2)
        #expect(missing.code == 3)
        #expect(kept.code == 0, "\(kept.errors)")
    }
}
