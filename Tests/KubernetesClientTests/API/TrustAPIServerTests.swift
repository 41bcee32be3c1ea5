import Glibc
import HTTP
import JSON
import KubernetesTypes
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("Trust and identity on a real API server", APIServer.isGiven, .timeLimit(.minutes(10)))
struct TrustAPIServerTests {
    /// A certificate authority that signed nothing.
    private static let otherAuthority = """
        -----BEGIN CERTIFICATE-----
        MIIBljCCAT2gAwIBAgIUO2Pf1H7ck/RcgEXXARuW+k5G5XUwCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVZmFyZWJveC10ZXN0LW90aGVyLWNhMCAXDTI2MTEyMDEyMjUz
        N1oYDzIxMjYxMDI3MTIyNTM3WjAgMR4wHAYDVQQDDBVmYXJlYm94LXRlc3Qtb3Ro
        ZXItY2EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARj6yooWl0ExGjsPBUTJZpZ
        SaTearGJA3vsfwQIo+Tv5mR1Di8Epqeuu5U2o8cwPvOa1QyGpd7iK0tXMJ3D3+Xs
        o1MwUTAdBgNVHQ4EFgQUFhori91PZ6VyrsXJOCNyzUDvQT0wHwYDVR0jBBgwFoAU
        Fhori91PZ6VyrsXJOCNyzUDvQT0wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
        AgNHADBEAiB+fEdJ4WNKL7WT2aNR6/9gmde7JtTJyzBFZcZnmjgEsgIgCcV+/H79
        nXhOnnGVHLV5Xcm1G6TjPKaPfmfOMZ6KVNg=
        -----END CERTIFICATE-----
        """

    private func isTLSFailure(_ error: KubernetesError?) -> Bool {
        if case .transport(.tls, _) = error { true } else { false }
    }

    @Test("A server whose authority we do not trust gets no request")
    func wrongAuthority() async throws {
        var configuration = try APIServer.configuration()
        configuration.authorities = .data(Array(Self.otherAuthority.utf8))
        let client = try Client(configuration)

        let error = await #expect(throws: KubernetesError.self) { try await client.serverVersion() }

        #expect(isTLSFailure(error))
    }

    @Test("The name to verify can differ from the address, and a wrong one fails")
    func serverName() async throws {
        var right = try APIServer.configuration()
        right.tlsServerName = "kubernetes.default"
        var wrong = right
        wrong.tlsServerName = "wrong.example"

        let version = try await Client(right).serverVersion()
        let error = await #expect(throws: KubernetesError.self) { try await Client(wrong).serverVersion() }

        #expect(version.major == "1")
        #expect(isTLSFailure(error))
    }

    @Test("A wrong token is unauthorized, and no certificate is sent beside it")
    func wrongToken() async throws {
        var configuration = try APIServer.configuration()
        configuration.certificate = nil
        configuration.credential = .token(SecretText("garbage"))

        let error = await #expect(throws: KubernetesError.self) { try await Client(configuration).serverVersion() }

        #expect(error?.isUnauthorized == true)
    }

    @Test("Impersonation acts as the other user")
    func impersonation() async throws {
        var configuration = try APIServer.configuration()
        configuration.impersonation = Impersonation(user: "jane", groups: ["g"], extra: ["a/b": ["c"]])

        let error = await #expect(throws: KubernetesError.self) {
            try await Client(configuration).get(ConfigMap.self, ObjectKey(namespace: "default", name: "x"))
        }

        #expect(error?.isForbidden == true)
        #expect("\(error, default: "")".contains("jane"))
    }

    /// Asks the server for a token of a new service account.
    private func token(_ client: Client, _ name: String, in namespace: String) async throws -> String {
        let accounts = ResourceDescriptor(version: "v1", kind: "ServiceAccount", plural: "serviceaccounts")
        _ = try await client.apply(
            [:], to: ObjectKey(namespace: namespace, name: name), of: accounts, as: "client-test")
        var request = APIRequest(.create, accounts, namespace: namespace, name: name, subresource: "token")
        request.body = ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": [:]]
        let answer = try JSONReader().parse(try await client.send(request))
        return try #require(answer[path: "status", "token"]?.stringValue)
    }

    /// Returns as whom the server sees a client: the user that it says is forbidden to list secrets.
    private func user(_ client: Client) async throws -> String {
        let error = await #expect(throws: KubernetesError.self) {
            try await client.list(Secret.self, namespace: "default")
        }
        let message = error?.status?.message ?? ""
        return message.split(separator: "\"").first { $0.hasPrefix("system:serviceaccount:") }.map(String.init)
            ?? message
    }

    @Test("A token that the server refuses is read again from its file, within the same request")
    func tokenRotation() async throws {
        let admin = try APIServer.client()
        try await APIServer.withNamespace(admin) { namespace in
            let good = try await token(admin, "rotated", in: namespace)
            let readings = Atomic<Int>(0)
            let surroundings = ConfigurationSurroundings(
                variable: { _ in nil },
                file: { _ throws(ConfigurationError) in
                    let reading = readings.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
                    return Array((reading == 1 ? "outdated" : good + "\n").utf8)
                })
            var configuration = try APIServer.configuration()
            configuration.certificate = nil
            configuration.credential = .tokenFile("/token", fallback: nil)
            let client = try Client(configuration, surroundings: surroundings)

            let seenAs = try await user(client)

            #expect(seenAs == "system:serviceaccount:\(namespace):rotated")
            #expect(readings.load(ordering: .sequentiallyConsistent) == 2)
            #expect(client.connectionsBegun == 1)
        }
    }

    @Test("A plugin's token is used, and the plugin runs again when the server refuses it")
    func plugin() async throws {
        let admin = try APIServer.client()
        try await APIServer.withNamespace(admin) { namespace in
            let good = try await token(admin, "plugin", in: namespace)
            let marker = "/tmp/farebox-plugin-\(namespace)"
            defer { unlink(marker) }
            // The first run hands out a token that the server refuses, the second one a good one.
            let script = """
                if [ -e \(marker) ]; then token=\(good); else token=bad; : >\(marker); fi
                printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' $token
                """
            var configuration = try APIServer.configuration()
            configuration.certificate = nil
            configuration.credential = .exec(
                ExecPlugin(
                    apiVersion: "client.authentication.k8s.io/v1", command: "sh", arguments: ["-c", script],
                    environment: [], installHint: "", providesClusterInfo: false, interactiveMode: .never))

            let seenAs = try await user(Client(configuration))

            #expect(seenAs == "system:serviceaccount:\(namespace):plugin")
        }
    }
}
