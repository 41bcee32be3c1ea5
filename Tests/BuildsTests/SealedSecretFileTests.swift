import CRDs
import JSON
import Testing

@testable import Builds

@Suite("A secrets.yml")
struct SealedSecretFileTests {
    private func read(_ text: String, owner: String = "alice") throws -> SealedSecretFile {
        try SealedSecretFile.read(Array(text.utf8), owner: OwnerName(owner), namespace: "functions")
    }

    /// As kubeseal writes one.
    private static func document(
        name: String = "alice-db", namespace: String = "kube-system", kind: String = "SealedSecret",
        apiVersion: String = "bitnami.com/v1alpha1",
        values: String = "{password: AgBy8hCi, user: QUJD}", template: String = "{type: Opaque}"
    ) -> String {
        """
        ---
        apiVersion: \(apiVersion)
        kind: \(kind)
        metadata:
          name: \(name)
          namespace: \(namespace)
          creationTimestamp: null
          annotations: {sealedsecrets.bitnami.com/cluster-wide: "true"}
        spec:
          encryptedData: \(values)
          template: \(template)
        status: {}

        """
    }

    @Test("gives Secrets with name and sealed values, and tells what it sets in vain")
    func complete() throws {
        let template = "{data: null, type: Opaque, metadata: {name: alice-db, namespace: x, labels: {role: admin}}}"

        let file = try read(
            Self.document(template: template) + Self.document(name: "alice-api", template: "null") + "---\n")

        #expect(file.secrets.map(\.name) == ["alice-db", "alice-api"])
        #expect(file.secrets[0].values == ["password": "AgBy8hCi", "user": "QUJD"])
        #expect(file.ignored.count == 5)
        #expect(file.ignored[0].hasPrefix("secrets.yml: metadata.namespace (line 6, column 14: "), "\(file.ignored[0])")
        #expect(file.ignored[2].contains("spec.template.metadata.labels"))
    }

    @Test("for the namespace it goes to has nothing to tell about that")
    func namespace() throws {
        let file = try read(Self.document(namespace: "functions", template: "{}"))

        #expect(file.ignored.count == 1 && file.ignored[0].contains("metadata.annotations"), "\(file.ignored)")
    }

    @Test("becomes an object in which nothing of the author's but name and values is left")
    func manifest() throws {
        let secret = try #require(try read(Self.document()).secrets.first)

        let object = secret.manifest(
            namespace: "functions", labels: ["l": "1"], annotations: ["farebox.dev/owner": "Alice"])

        let expected: JSONValue = [
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "metadata": [
                "name": "alice-db", "namespace": "functions", "labels": ["l": "1"],
                "annotations": ["farebox.dev/owner": "Alice"],
            ],
            "spec": [
                "encryptedData": ["password": "AgBy8hCi", "user": "QUJD"],
                "template": [
                    "type": "Opaque",
                    "metadata": ["labels": ["l": "1"], "annotations": ["farebox.dev/owner": "Alice"]],
                ],
            ],
        ]
        #expect(object == expected)
    }

    @Test("belongs to its owner, whose case does not matter and whose dash does")
    func owner() throws {
        for (owner, name) in [("Alice", "alice-db"), ("alex", "alex-ellis-db"), ("alex-ellis", "alex-ellis-db")] {
            #expect(try read(Self.document(name: name), owner: owner).secrets.first?.name == name)
        }
        for (owner, name) in [
            ("alex", "alexellis-db"), ("alex", "alex"), ("alex", "alex-"), ("alex-ellis", "alex-db"), ("alice", "db"),
            ("alice", "Alice-db"),
        ] {
            let failure = #expect(throws: BuildFailure.self) { try read(Self.document(name: name), owner: owner) }
            #expect(failure?.reason == .stackInvalid)
            #expect(failure?.message.contains("line 5, column 9") == true, "\(failure?.message ?? "")")
        }
    }

    @Test("joins owner and name as the stack file's names are joined")
    func naming() throws {
        for vector in try #require(try Vectors.load("naming.json")["secrets"]?.arrayValue) {
            let owner = try #require(vector["owner"]?.stringValue)
            let names = try #require(vector["stack"]?.arrayValue).compactMap(\.stringValue)
            let expected = try #require(vector["expect"]?.arrayValue).compactMap(\.stringValue)
            var function = StackFunction(name: "f", runtime: "dockerfile", handler: "f", image: "f")
            function.secrets = names

            let spec = function.specification(owner: OwnerName(owner), image: "i", source: FunctionSource())

            #expect(spec.secrets == expected)
            for name in expected {
                #expect(try read(Self.document(name: name), owner: owner).secrets.map(\.name) == [name])
            }
        }
    }

    @Test("may be empty, and is not needed")
    func empty() async throws {
        let none = try await SealedSecretFile.read(
            from: MemoryTree(["a/secrets.yml": "x"]), owner: OwnerName("alice"), namespace: "functions",
            rules: StackRules())

        #expect(none.secrets.isEmpty)
        #expect(try read("").secrets.isEmpty)
        #expect(try read("# nothing\n---\n---\n").secrets.isEmpty)
    }

    @Test(
        "that holds anything else is refused, and no message repeats a value",
        arguments: [
            (document(kind: "Secret"), "seal it with kubeseal"), (document(kind: "Pod"), "only SealedSecret"),
            (document(apiVersion: "v1"), "only SealedSecret"), (document(values: "{}"), "from 1 to 128"),
            (document(values: "{password: 'hunter2!'}"), "spec.encryptedData.password is not base64"),
            (document(values: "{password: ''}"), "not base64"),
            (document(values: "{'../x': QUJD}"), "no key for a Secret"),
            (document(values: "{'a b': QUJD}"), "no key for a Secret"),
            (document(values: "[hunter2]"), "mapping of texts"),
            (document(template: "{type: kubernetes.io/dockerconfigjson}"), "must be Opaque"),
            (document(template: "{type: kubernetes.io/service-account-token}"), "must be Opaque"),
            (document(template: "{data: {x: '{{ .y }}'}}"), "spec.template.data is not taken"),
            (document() + document(), "there twice"), ("[]", "documents of kind"), ("hello", "documents of kind"),
            ("kind: SealedSecret\napiVersion: bitnami.com/v1alpha1\nmetadata: {name: alice-db}", "metadata and spec"),
            ("{", "line"), (String(repeating: document(), count: 40), "more than the 32 documents"),
        ])
    func refused(text: String, message: String) {
        let failure = #expect(throws: BuildFailure.self) { try read(text) }

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.hasPrefix("secrets.yml line") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("hunter2") == false)
    }

    @Test("behind a link, or too large, is refused")
    func unreadable() async {
        let link = MemoryTree([("secrets.yml", .link, Array("/etc/passwd".utf8))])
        let large = MemoryTree(["secrets.yml": "#" + String(repeating: "x", count: 256 << 10)])

        for tree in [link, large] {
            let failure = await #expect(throws: BuildFailure.self) {
                try await SealedSecretFile.read(
                    from: tree, owner: OwnerName("alice"), namespace: "functions", rules: StackRules())
            }
            #expect(failure?.reason == .stackInvalid)
        }
    }
}
