import HTTP
import Testing

@testable import KubernetesClient

@Suite("Finding the configuration")
struct ConfigurationLoaderTests {
    private static let serviceAccount = [
        ServiceAccount.folder + "/token": "pod-token", ServiceAccount.folder + "/ca.crt": "PEM",
        ServiceAccount.folder + "/namespace": "pod-namespace\n",
    ]
    private static let podVariables = ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"]

    private static func config(_ server: String, context: String = "main") -> String {
        ConfigurationFixture.kubeconfig()
            .replacing("https://api.example:6443", with: "https://\(server)")
            .replacing("main", with: context)
    }

    @Test("A server takes the given file, then KUBECONFIG, then the pod's account, then the home folder")
    func orderForServers() throws {
        let files = Self.serviceAccount.merging([
            "/flag": Self.config("flag"), "/env": Self.config("env"), "/home/.kube/config": Self.config("home"),
        ]) { first, _ in first }
        let all = Self.podVariables.merging(["KUBECONFIG": "/env", "HOME": "/home"]) { first, _ in first }
        let pod = Self.podVariables.merging(["HOME": "/home"]) { first, _ in first }

        #expect(
            try ConfigurationFixture(all, files: files).loader.forServer(kubeconfig: "/flag").server == "https://flag")
        #expect(try ConfigurationFixture(all, files: files).loader.forServer().server == "https://env")
        #expect(try ConfigurationFixture(pod, files: files).loader.forServer().server == "https://10.0.0.1:443")
        #expect(try ConfigurationFixture(["HOME": "/home"], files: files).loader.forServer().server == "https://home")
        #expect(throws: ConfigurationError.self) { try ConfigurationFixture([:], files: files).loader.forServer() }
    }

    @Test("A person's command never takes the pod's account")
    func orderForPersons() throws {
        let files = Self.serviceAccount.merging(["/home/.kube/config": Self.config("home")]) { first, _ in first }
        let variables = Self.podVariables.merging(["HOME": "/home"]) { first, _ in first }

        #expect(try ConfigurationFixture(variables, files: files).loader.forPerson().server == "https://home")
        #expect(throws: ConfigurationError.self) {
            try ConfigurationFixture(Self.podVariables, files: files).loader.forPerson()
        }
    }

    @Test("The pod's account gives address, trust, token and namespace")
    func serviceAccount() throws {
        var variables = Self.podVariables
        variables["KUBERNETES_SERVICE_HOST"] = "fd00::1"
        let fixture = ConfigurationFixture(variables, files: Self.serviceAccount)

        let configuration = try fixture.loader.forServer()

        #expect(configuration.server == "https://[fd00::1]:443")
        #expect(configuration.namespace == "pod-namespace")
        #expect(configuration.authorities == .file(ServiceAccount.folder + "/ca.crt"))
        #expect(!configuration.skipsVerification)
        guard case .tokenFile(ServiceAccount.folder + "/token", fallback: nil) = configuration.credential else {
            Issue.record("unexpected \(configuration.credential)")
            return
        }
    }

    @Test("POD_NAMESPACE goes before the mounted file, and default comes last")
    func podNamespace() throws {
        let named = Self.podVariables.merging(["POD_NAMESPACE": "named"]) { first, _ in first }
        var without = Self.serviceAccount
        without[ServiceAccount.folder + "/namespace"] = nil

        #expect(try ConfigurationFixture(named, files: Self.serviceAccount).loader.forServer().namespace == "named")
        #expect(try ConfigurationFixture(Self.podVariables, files: without).loader.forServer().namespace == "default")
    }

    @Test("Without the mounted authorities the certificate is still verified")
    func neverUnverified() throws {
        var files = Self.serviceAccount
        files[ServiceAccount.folder + "/ca.crt"] = nil

        let configuration = try ConfigurationFixture(Self.podVariables, files: files).loader.forServer()

        #expect(configuration.authorities == nil)
        #expect(!configuration.skipsVerification)
    }

    @Test(
        "KUBECONFIG is a list: empty, repeated and missing entries are skipped",
        arguments: ["/a", "/a:/b", ":/a::/a:/missing:", "/missing:/a"])
    func list(value: String) throws {
        let files = ["/a": Self.config("a"), "/b": Self.config("b")]

        let configuration = try ConfigurationFixture(["KUBECONFIG": value], files: files).loader.forPerson()

        #expect(configuration.server == "https://a")
    }

    @Test(
        "What cannot be used is an error that names it",
        arguments: [
            ("/missing", ConfigurationError.nothingFound("KUBECONFIG names no file that exists: /missing")),
            ("/unreadable", .unreadable(path: "/unreadable", reason: "Permission denied")),
            ("/good:/unreadable", .unreadable(path: "/unreadable", reason: "Permission denied")),
            ("/empty", .invalid("the kubeconfig has no current-context; name one")),
        ])
    func unusable(value: String, expected: ConfigurationError) {
        let files = ["/unreadable": "<unreadable>", "/good": Self.config("good"), "/empty": "\n"]

        #expect(throws: expected) {
            try ConfigurationFixture(["KUBECONFIG": value], files: files).loader.forPerson()
        }
    }

    @Test("A file that is given has to exist")
    func givenHasToExist() {
        #expect(throws: ConfigurationError.unreadable(path: "/x", reason: "there is no such file")) {
            try ConfigurationFixture(["HOME": "/home"], files: ["/home/.kube/config": Self.config("h")])
                .loader.forPerson(kubeconfig: "/x")
        }
    }

    @Test("A malformed file is an error with its place", arguments: ["clusters: {", "clusters: 5", "[]", "a: b: c"])
    func malformed(text: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFixture(files: ["/bad": text]).loader.forPerson(kubeconfig: "/bad")
        }

        guard case .malformed("/bad", _) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("Of several files the first that names an entry wins with the whole of it")
    func merges() throws {
        let first = """
            clusters:
            - name: shared
              cluster: {server: https://first}
            users:
            - name: u
              user: {token: t}
            contexts:
            - name: one
              context: {cluster: shared, user: u}
            """
        let second = """
            current-context: two
            clusters:
            - name: shared
              cluster: {server: https://second, tls-server-name: not-taken}
            contexts:
            - name: one
              context: {cluster: other, user: u}
            - name: two
              context: {cluster: shared, user: u, namespace: n}
            """
        let third = "current-context: one"
        let fixture = ConfigurationFixture(
            ["KUBECONFIG": "/1:/2:/3"], files: ["/1": first, "/2": second, "/3": third])

        let current = try fixture.loader.forPerson()
        let named = try fixture.loader.forPerson(context: "one")

        #expect(current.server == "https://first")
        #expect(current.namespace == "n")
        #expect(current.tlsServerName == nil)
        #expect(named.server == "https://first")
        #expect(named.namespace == "default")
    }

    @Test("Relative paths count from the folder of their file")
    func relativePaths() throws {
        let text = ConfigurationFixture.kubeconfig(
            cluster: ["certificate-authority: pki/ca.pem"],
            user: ["client-certificate: ./me.pem", "client-key: /abs/me.key", "tokenFile: ../token"])
        let fixture = ConfigurationFixture(["KUBECONFIG": "/etc/k8s/config"], files: ["/etc/k8s/config": text])

        let configuration = try fixture.loader.forPerson()

        #expect(configuration.authorities == .file("/etc/k8s/pki/ca.pem"))
        #expect(configuration.certificate?.certificate == .file("/etc/k8s/./me.pem"))
        #expect(configuration.certificate?.key == .file("/abs/me.key"))
        guard case .tokenFile("/etc/k8s/../token", _) = configuration.credential else {
            Issue.record("unexpected \(configuration.credential)")
            return
        }
    }

    @Test(
        "A plugin with a slash counts from its file's folder, a bare name stays for PATH",
        arguments: [("bin/login", "/k/bin/login"), ("login", "login"), ("/opt/login", "/opt/login")])
    func pluginPath(command: String, expected: String) throws {
        let configuration = try ConfigurationFixture.load(user: [
            "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: \(command)}"
        ])

        guard case .exec(let plugin) = configuration.credential else {
            Issue.record("unexpected \(configuration.credential)")
            return
        }
        #expect(plugin.command == expected)
    }
}
