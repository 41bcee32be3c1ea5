import HTTP
import JSON
import Testing

@testable import KubernetesClient

@Suite("From kubeconfig to client")
struct KubeconfigResolverTests {
    @Test("A reference to nothing is an error that names it")
    func dangling() {
        let text = ConfigurationFixture.kubeconfig()
        let files = [
            "/cluster": text.replacing("cluster: c", with: "cluster: gone"),
            "/user": text.replacing("user: u", with: "user: gone"), "/good": text,
        ]
        let loader = ConfigurationFixture(files: files).loader

        #expect(throws: ConfigurationError.missing(what: "cluster", name: "gone")) {
            try loader.forPerson(kubeconfig: "/cluster")
        }
        #expect(throws: ConfigurationError.missing(what: "user", name: "gone")) {
            try loader.forPerson(kubeconfig: "/user")
        }
        #expect(throws: ConfigurationError.missing(what: "context", name: "gone")) {
            try loader.forPerson(kubeconfig: "/good", context: "gone")
        }
    }

    @Test(
        "The server's URL keeps its path prefix and loses query, fragment and last slash",
        arguments: [
            ("https://a.example:6443/", "https://a.example:6443"),
            ("https://a/k8s/clusters/c-1/", "https://a/k8s/clusters/c-1"),
            ("https://a/p?q=1#f", "https://a/p"), ("HTTPS://a", "https://a"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("a.example:8080", "http://a.example:8080"), ("https://[::1]:6443", "https://[::1]:6443"),
        ])
    func servers(text: String, expected: String) throws {
        #expect(try ServerURL.normalized(text, "x", isSecureByDefault: false) == expected)
    }

    @Test("Without a scheme https is meant when the cluster says whom to trust")
    func schemeFromTrust() throws {
        #expect(try ServerURL.normalized("a:1", "x", isSecureByDefault: true) == "https://a:1")
    }

    @Test(
        "A URL that leads nowhere is refused",
        arguments: [
            "", "ftp://a", "https://", "https:///path", "https://user:pw@a", "https://a b", "unix:///x", "https://é",
        ])
    func badServers(text: String) {
        #expect(throws: ConfigurationError.self) { try ServerURL.normalized(text, "x", isSecureByDefault: true) }
    }

    @Test("Text in the file goes before a path")
    func dataBeforeFile() throws {
        let configuration = try ConfigurationFixture.load(
            cluster: ["certificate-authority: ca.pem", "certificate-authority-data: Y2E="],
            user: [
                "client-certificate: c.pem", "client-certificate-data: Y2VydA==", "client-key: k.pem",
                "client-key-data: a2V5",
            ])

        #expect(configuration.authorities == .data(Array("ca".utf8)))
        #expect(configuration.certificate?.certificate == .data(Array("cert".utf8)))
        #expect(configuration.certificate?.key == .data(Array("key".utf8)))
    }

    @Test("Trust, names, proxy and compression are taken over")
    func clusterSettings() throws {
        let configuration = try ConfigurationFixture.load(
            cluster: [
                "insecure-skip-tls-verify: true", "tls-server-name: real.example", "proxy-url: socks5://proxy:1080",
                "disable-compression: true",
            ], context: ["namespace: team"])

        #expect(configuration.skipsVerification)
        #expect(configuration.tlsServerName == "real.example")
        #expect(configuration.proxy == .url("socks5://proxy:1080"))
        #expect(configuration.disablesCompression)
        #expect(configuration.namespace == "team")
    }

    @Test(
        "What contradicts itself is refused",
        arguments: [
            (["insecure-skip-tls-verify: true", "certificate-authority: x"], [String]()),
            (["certificate-authority-data: '%%%'"], []), (["proxy-url: ftp://x"], []),
            ([], ["token: t", "username: u"]), ([], ["token: t", "password: p"]),
            ([], ["client-certificate: c"]), ([], ["client-key-data: a2V5"]),
            ([], ["as-groups: [g]"]), ([], ["as-uid: u"]), ([], ["as-user-extra: {a: [b]}"]),
            ([], ["auth-provider: {name: gcp}"]),
            ([], ["exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"]),
            ([], ["exec: {apiVersion: client.authentication.k8s.io/v1, command: x}"]),
            ([], ["exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Sometimes}"]),
            ([], ["exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}"]),
            (
                [],
                [
                    "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}",
                    "auth-provider: {name: gcp}",
                ]
            ),
        ])
    func contradictions(cluster: [String], user: [String]) {
        #expect(throws: ConfigurationError.self) { try ConfigurationFixture.load(cluster: cluster, user: user) }
    }

    @Test(
        "A user has the credential that is given first in kubectl's order",
        arguments: [
            ([String](), "none"), (["token: secret"], "token"), (["tokenFile: /t"], "token from /t"),
            (["tokenFile: /t", "token: secret"], "token from /t"),
            (["username: joe", "password: secret"], "password of joe"),
            (["exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: login}"], "plugin login"),
            (
                ["token: secret", "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: login}"],
                "token"
            ),
        ])
    func credentials(user: [String], expected: String) throws {
        #expect(try ConfigurationFixture.load(user: user).credential.description == expected)
    }

    @Test("An exec plugin is read in full, with what it may know about the cluster")
    func execPlugin() throws {
        let configuration = try ConfigurationFixture.load(
            cluster: [
                "extensions:", "- name: other", "  extension: {a: 1}",
                "- name: client.authentication.k8s.io/exec", "  extension: {audience: \"x\", level: 2}",
            ],
            user: [
                "exec:", "  apiVersion: client.authentication.k8s.io/v1", "  command: login", "  args: [--for, me]",
                "  env: [{name: A, value: b}]", "  installHint: get it", "  provideClusterInfo: true",
                "  interactiveMode: IfAvailable",
            ])
        guard case .exec(let plugin) = configuration.credential else {
            Issue.record("unexpected \(configuration.credential)")
            return
        }
        let cluster = ExecCluster.json(configuration, ConfigurationFixture().surroundings)

        #expect(plugin.arguments == ["--for", "me"])
        #expect(plugin.environment.map { "\($0.name)=\($0.value)" } == ["A=b"])
        #expect(plugin.installHint == "get it")
        #expect(plugin.providesClusterInfo)
        #expect(plugin.interactiveMode == .ifAvailable)
        #expect(cluster == ["server": "https://api.example:6443", "config": ["audience": "x", "level": 2]])
    }

    @Test("Impersonation becomes header fields with escaped names")
    func impersonation() throws {
        let configuration = try ConfigurationFixture.load(user: [
            "as: jane", "as-uid: '42'", "as-groups: [a, b]",
            "as-user-extra: {'acme.com/project': [p1, p2], scopes: [s]}",
        ])

        let headers = try #require(configuration.impersonation).headers.map { "\($0.0): \($0.1)" }

        #expect(
            headers == [
                "Impersonate-User: jane", "Impersonate-Uid: 42", "Impersonate-Group: a", "Impersonate-Group: b",
                "Impersonate-Extra-acme.com%2Fproject: p1", "Impersonate-Extra-acme.com%2Fproject: p2",
                "Impersonate-Extra-scopes: s",
            ])
    }

    @Test("No printed form of a configuration shows a secret")
    func redacts() throws {
        for user in [["token: hunter2"], ["username: joe", "password: hunter2"]] {
            let configuration = try ConfigurationFixture.load(
                user: user + ["client-certificate-data: Y2VydA==", "client-key-data: aHVudGVyMg=="])
            var dumped = ""
            dump(configuration, to: &dumped)
            dump(configuration.credential, to: &dumped)

            for printed in [
                "\(configuration)", String(reflecting: configuration), dumped, "\(configuration.credential)",
            ] {
                #expect(!printed.contains("hunter2"))
                #expect(!printed.contains("104, 117"))
            }
        }
    }
}
