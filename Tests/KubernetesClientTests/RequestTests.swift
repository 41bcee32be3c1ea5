import HTTP
import JSON
import KubernetesTypes
import Testing

@testable import KubernetesClient

@Suite("Requests")
struct RequestTests {
    private let key = ObjectKey(namespace: "ns", name: "a")

    private func builder(
        _ server: String = "https://api.example:6443", _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws -> RequestBuilder {
        var configuration = ClientConfiguration(server: server)
        change(&configuration)
        return try RequestBuilder(configuration)
    }

    private let secret = RequestCredential(authorization: SecretText("Bearer hunter2"))

    @Test(
        "Each verb has its method and media type",
        arguments: [
            (APIVerb.get, HTTPMethod.get, nil), (.list, .get, nil), (.watch, .get, nil),
            (.create, .post, "application/json"),
            (.update, .put, "application/json"), (.mergePatch, .patch, "application/merge-patch+json"),
            (.jsonPatch, .patch, "application/json-patch+json"), (.apply, .patch, "application/apply-patch+yaml"),
            (.delete, .delete, "application/json"), (.deleteCollection, .delete, "application/json"),
        ] as [(APIVerb, HTTPMethod, String?)])
    func verbs(verb: APIVerb, method: HTTPMethod, contentType: String?) throws {
        var request = APIRequest(verb, ConfigMap.descriptor, namespace: "ns", name: "a")
        if contentType != nil { request.body = [:] }

        let built = try builder().unary(request, secret)

        #expect(built.method == method)
        #expect(built.headers["Content-Type"] == contentType)
        #expect(built.headers["Authorization"] == "Bearer hunter2")
        #expect(built.url == "https://api.example:6443/api/v1/namespaces/ns/configmaps/a")
    }

    @Test("Query values cannot break out of the query")
    func query() throws {
        let options = ListOptions(labelSelector: "a in (b,c)&watch=true", limit: 5, continueToken: "x/+=")
        let request = APIRequest(.list, ConfigMap.descriptor, namespace: "ns", query: options.query)

        let built = try builder().unary(request, secret)

        #expect(
            built.url.hasSuffix(
                "/configmaps?labelSelector=a%20in%20%28b%2Cc%29%26watch%3Dtrue&limit=5&continue=x%2F%2B%3D"))
    }

    @Test("A credential never travels without TLS")
    func noCredentialInClear() throws {
        let built = try builder("http://api.example").unary(APIRequest(path: "/version"), secret)

        #expect(built.headers["Authorization"] == nil)
    }

    @Test("The server's path prefix stays before every path")
    func prefix() throws {
        let built = try builder("https://rancher/k8s/clusters/c-1").unary(APIRequest(path: "/version"), secret)

        #expect(built.url == "https://rancher/k8s/clusters/c-1/version")
    }

    @Test("Another name for TLS replaces the host in the URL, and the host goes where it belongs")
    func serverName() throws {
        let built = try builder("https://10.0.0.1:6443/p") { $0.tlsServerName = "real.example" }
            .unary(APIRequest(path: "/version"), secret)

        #expect(built.url == "https://real.example:6443/p/version")
        #expect(built.headers["Host"] == "10.0.0.1:6443")
    }

    @Test("Compression is asked for when reading from afar, unless it is disabled")
    func compression() throws {
        let read = APIRequest(.list, ConfigMap.descriptor)
        let write = APIRequest(.create, ConfigMap.descriptor)

        #expect(try builder().unary(read, secret).acceptsCompression)
        #expect(try !builder().unary(write, secret).acceptsCompression)
        #expect(try !builder().streaming(read, secret).acceptsCompression)
        #expect(try !builder("https://127.0.0.1:1").unary(read, secret).acceptsCompression)
        #expect(try !builder { $0.disablesCompression = true }.unary(read, secret).acceptsCompression)
    }

    @Test("Impersonation is asked for on every request")
    func impersonation() throws {
        let built = try builder { $0.impersonation = Impersonation(user: "jane", groups: ["a", "b"]) }
            .unary(APIRequest(path: "/version"), secret)

        #expect(built.headers["Impersonate-User"] == "jane")
        #expect(built.headers.values(for: "Impersonate-Group") == ["a", "b"])
    }

    @Test("A stream has a limit for its head and for silence, but none in all")
    func streaming() throws {
        var request = APIRequest(.watch, ConfigMap.descriptor)
        request.silenceMaximum = .seconds(70)

        let built = try builder().streaming(request, secret)

        #expect(built.timeout == nil)
        #expect(built.headTimeout == .seconds(60))
        #expect(built.idleTimeout == .seconds(70))
    }

    @Test(
        "A key that does not name exactly one object never becomes a request",
        arguments: [
            ObjectKey(namespace: "ns", name: ""), ObjectKey(namespace: "", name: "a"),
            ObjectKey(namespace: "ns", name: ".."),
            ObjectKey(namespace: "..", name: "a"), ObjectKey(namespace: "ns", name: "a/b"),
            ObjectKey(namespace: "ns", name: "a%2fb"), ObjectKey(namespace: "ns", name: "a\n"),
            ObjectKey(namespace: "ns", name: String(repeating: "a", count: 254)),
        ])
    func keys(key: ObjectKey) {
        let error = #expect(throws: KubernetesError.self) {
            try APIRequest(.delete, object: key, of: ConfigMap.descriptor)
        }

        guard case .invalidRequest = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("A request describes itself by verb, resource and object")
    func descriptions() throws {
        let status = try APIRequest(.apply, object: key, of: Lease.descriptor, subresource: "status")

        #expect("\(status)" == "apply leases.v1.coordination.k8s.io/status ns/a")
        #expect("\(APIRequest(.list, ConfigMap.descriptor, namespace: "ns"))" == "list configmaps.v1 in ns")
        #expect("\(APIRequest(path: "/version"))" == "get /version")
    }

    @Test("Apply sends what we own and nothing the server maintains")
    func applyBody() {
        let manifest: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "data": ["a": "1"], "status": ["x": 1],
            "metadata": [
                "name": "a", "namespace": "ns", "labels": ["l": "1"], "uid": "u", "resourceVersion": "5",
                "generation": 2, "creationTimestamp": "2024-01-01T00:00:00Z", "managedFields": [],
            ],
        ]

        let fields = ApplyBody.fields(of: manifest)
        let status = ApplyBody.status(of: manifest, key, ConfigMap.descriptor)

        #expect(
            fields == [
                "apiVersion": "v1", "kind": "ConfigMap", "data": ["a": "1"],
                "metadata": ["name": "a", "namespace": "ns", "labels": ["l": "1"]],
            ])
        #expect(
            status == [
                "apiVersion": "v1", "kind": "ConfigMap", "status": ["x": 1],
                "metadata": ["name": "a", "namespace": "ns"],
            ])
    }

    @Test("Delete conditions become a DeleteOptions object, and none become no body")
    func deleteBody() {
        let options = DeleteOptions(uid: "u", propagation: .foreground, gracePeriod: .seconds(5))

        #expect(DeleteOptions().body == nil)
        #expect(
            options.body == [
                "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": ["uid": "u"],
                "propagationPolicy": "Foreground", "gracePeriodSeconds": 5,
            ])
    }

    @Test("A key becomes one part of a JSON Pointer")
    func pointer() {
        #expect(Patch.pointerPart("farebox.dev/a~b") == "farebox.dev~1a~0b")
    }
}

@Suite("When to try again")
struct RetryPolicyTests {
    @Test(
        "A refusal with Retry-After is tried again for every verb, others are not",
        arguments: [
            (429, 2, RetryPolicy.Decision.retry(after: .seconds(2))), (503, 0, .retry(after: .zero)),
            (500, 1, .retry(after: .seconds(1))),
            (429, nil, .stop), (503, nil, .stop), (409, 1, .stop), (404, nil, .stop), (200, nil, .stop),
            (429, 31, .stop),
            (429, Int.max, .stop),
        ] as [(Int, Int?, RetryPolicy.Decision)])
    func answers(code: Int, retryAfter: Int?, expected: RetryPolicy.Decision) {
        for verb in [APIVerb.get, .create] {
            var policy = RetryPolicy(APIRequest(verb, ConfigMap.descriptor))

            #expect(policy.handle(.answered(code: code, retryAfter: retryAfter)) == expected)
        }
    }

    @Test("A version that the server does not have yet is the caller's to handle")
    func versionTooLarge() {
        let query = [(name: "resourceVersion", value: "9")]
        var versioned = RetryPolicy(APIRequest(.list, ConfigMap.descriptor, query: query))
        var plain = RetryPolicy(APIRequest(.list, ConfigMap.descriptor))

        #expect(versioned.handle(.answered(code: 504, retryAfter: 1)) == .stop)
        #expect(plain.handle(.answered(code: 504, retryAfter: 1)) == .retry(after: .seconds(1)))
    }

    @Test("A lost connection is tried again for reads, and for writes only when nothing can have arrived")
    func lostConnections() {
        let arrived = HTTPClientError.connectionLost(reason: "", mayHaveArrived: true)
        let notArrived = HTTPClientError.connectionLost(reason: "", mayHaveArrived: false)
        var get = RetryPolicy(APIRequest(.get, ConfigMap.descriptor))
        var create = RetryPolicy(APIRequest(.create, ConfigMap.descriptor))
        var apply = RetryPolicy(APIRequest(.apply, ConfigMap.descriptor))

        #expect(get.handle(.failed(arrived)) == .retry(after: .milliseconds(100)))
        #expect(get.handle(.failed(arrived)) == .retry(after: .milliseconds(200)))
        #expect(create.handle(.failed(arrived)) == .stop)
        #expect(apply.handle(.failed(notArrived)) == .retry(after: .milliseconds(100)))
    }

    @Test(
        "Other failures are the caller's",
        arguments: [
            HTTPClientError.timedOut(mayHaveArrived: false), .connectionFailed(reason: ""), .tls(reason: ""),
            .bodyTooLarge(bytesMaximum: 1),
        ])
    func failures(error: HTTPClientError) {
        var policy = RetryPolicy(APIRequest(.get, ConfigMap.descriptor))

        #expect(policy.handle(.failed(error)) == .stop)
    }

    @Test("There are ten tries in all, and one for a renewed credential")
    func limits() {
        var policy = RetryPolicy(APIRequest(.get, ConfigMap.descriptor))
        let decisions = (0..<10).map { _ in policy.handle(.answered(code: 429, retryAfter: 0)) }
        var renewing = RetryPolicy(APIRequest(.create, ConfigMap.descriptor))

        #expect(decisions == Array(repeating: .retry(after: .zero), count: 9) + [.stop])
        #expect(renewing.handle(.credentialRenewed) == .retry(after: .zero))
        #expect(renewing.handle(.credentialRenewed) == .stop)
    }

    @Test("A conflict is tried again five times in all")
    func conflicts() async throws {
        let conflict = KubernetesError.api(APIStatus(reason: .conflict, code: 409))
        var tries = 0

        let error = await #expect(throws: KubernetesError.self) {
            try await ConflictRetry(pause: .zero).run {
                tries += 1
                throw conflict
            }
        }
        let answer = try await ConflictRetry(pause: .zero).run {
            tries += 1
            if tries < 8 { throw conflict }
            return tries
        }

        #expect(error?.isConflict == true)
        #expect(answer == 8)
    }
}

@Suite("Refusals")
struct ErrorAnswerTests {
    private func status(_ code: Int, _ body: String, headers: HTTPHeaders = HTTPHeaders()) -> KubernetesError {
        .api(ErrorAnswer.status(HTTPStatus(code), headers, Array(body.utf8), "get x"))
    }

    @Test("The server's reason decides, and the code where there is none")
    func classification() {
        let gone = status(410, #"{"kind":"Status","reason":"Expired","code":410}"#)
        let exists = status(409, #"{"kind":"Status","reason":"AlreadyExists","code":409}"#)
        let late = status(
            504,
            #"{"kind":"Status","reason":"Timeout","code":504,"details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#
        )

        #expect(gone.isExpired && status(410, "").isExpired)
        #expect(exists.isAlreadyExists && !exists.isConflict && status(409, "").isConflict)
        #expect(late.isVersionTooLarge && !status(504, "").isVersionTooLarge)
        #expect(status(404, "").isNotFound && status(401, "").isUnauthorized && status(403, "").isForbidden)
        #expect(status(422, "").isInvalid && status(429, "").isTooManyRequests)
        #expect(!status(500, #"{"kind":"Status","reason":"NotFound"}"#).isInvalid)
    }

    @Test("Retry-After is taken from the status or else from the header, within a day")
    func retryAfter() {
        let header = HTTPHeaders([("Retry-After", "7")])

        #expect(status(429, "", headers: header).retryAfter == .seconds(7))
        #expect(
            status(429, #"{"kind":"Status","details":{"retryAfterSeconds":3}}"#, headers: header).retryAfter
                == .seconds(3))
        #expect(status(429, #"{"kind":"Status","details":{"retryAfterSeconds":-3}}"#).retryAfter == .zero)
        #expect(status(429, "", headers: HTTPHeaders([("Retry-After", "99999999999")])).retryAfter == .seconds(86_400))
        #expect(status(429, "", headers: HTTPHeaders([("Retry-After", "Wed, 21 Oct")])).retryAfter == nil)
    }

    @Test(
        "Words of a proxy become a short message",
        arguments: [
            "<html>\n  Bad\tGateway</html>", "{\"kind\":\"Other\"}", "\u{FFFD}", String(repeating: "x", count: 100_000),
        ])
    func foreignWords(body: String) {
        let error = status(502, body)

        #expect(error.status?.code == 502)
        #expect("\(error)".utf8.count < 1000)
        #expect("\(error)".hasPrefix("get x: the server answered 502"))
    }

    @Test("A warning is the quoted text behind code 299")
    func warnings() {
        #expect(WarningLog.text(#"299 - "a \"b\" is deprecated""#) == #"a "b" is deprecated"#)
        #expect(WarningLog.text(#"199 - "x""#) == nil)
        #expect(WarningLog.text(#"299 - ""#) == nil)
    }
}
