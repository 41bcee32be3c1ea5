import CRDs
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Testing

/// What a client of OpenFaaS does, and what comes of it: in memory, and on a real API server.
struct AdminScenarios: Sendable {
    let backend: Backend

    /// As faas-cli writes it.
    private func deployment(
        _ name: String, image: String = "registry.example.com/hello:1", _ more: JSONObject = [:]
    )
        -> JSONValue
    {
        var body: JSONObject = [
            "service": .string(name), "image": .string(image), "network": "", "envProcess": "node index.js",
            "envVars": ["GREETING": "hi"], "constraints": .null, "secrets": [], "labels": ["team": "shop"],
            "annotations": [:], "limits": .null, "requests": .null, "readOnlyRootFilesystem": false,
        ]
        body.merge(more)
        return .object(body)
    }

    /// A whole session of the command line: login, deploy, list, describe, scale, secrets, remove.
    func session() async throws {
        try await AdminOffice.with(backend) { (office: AdminOffice) async throws in
            let place = "?namespace=\(office.namespace)"

            let empty = try await office.send(.get, "/system/functions" + place)
            #expect(empty.status == 200 && empty.text == "[]")

            let missing = try await office.send(.put, "/system/functions", deployment("hello"))
            #expect(missing.status == 404)
            let made = try await office.send(.post, "/system/functions", deployment("hello"))
            #expect(made.status == 202, "\(made.text)")
            #expect(try await office.send(.post, "/system/functions", deployment("hello")).status == 409)

            let list = try await office.send(.get, "/system/functions" + place)
            let entry = try #require(list.json[0])
            #expect(entry["name"] == "hello" && entry["namespace"] == .string(office.namespace))
            #expect(entry["envProcess"] == "node index.js" && entry["envVars"] == ["GREETING": "hi"])
            #expect(entry["labels"] == ["team": "shop"] && entry["annotations"] == [:])
            #expect(entry["createdAt"]?.stringValue?.hasSuffix("Z") == true)
            let described = try await office.send(.get, "/system/function/hello" + place)
            #expect(described.json == entry)
            #expect(try await office.send(.get, "/system/function/hello.openfaas-fn").json == entry)
            #expect(try await office.send(.get, "/system/function/hello?usage=1").json == entry)
            #expect(try await office.send(.get, "/system/function/other" + place).status == 404)

            let scaled = try await office.send(
                .post, "/system/scale-function/hello",
                ["serviceName": "hello", "replicas": 3, "namespace": .string(office.namespace)])
            #expect(scaled.status == 202, "\(scaled.text)")
            #expect(try await office.send(.get, "/system/function/hello").json["replicas"] == 3)
            let changed = try await office.send(
                .put, "/system/functions", deployment("hello", image: "registry.example.com/hello:2"))
            #expect(changed.status == 202)
            let after = try await office.send(.get, "/system/function/hello").json
            #expect(after["image"] == "registry.example.com/hello:2")
            #expect(after["replicas"] == 3, "a deployment does not scale")

            let removal: JSONValue = ["functionName": "hello", "namespace": .string(office.namespace)]
            #expect(try await office.send(.delete, "/system/functions", removal).status == 202)
            // `deploy --replace` makes it anew at once.
            #expect(try await office.send(.post, "/system/functions", deployment("hello")).status == 202)
            #expect(try await office.send(.get, "/system/function/hello").json["replicas"] == 1)
            #expect(try await office.send(.delete, "/system/functions", removal).status == 202)
            #expect(try await office.send(.delete, "/system/functions", removal).status == 404)
            #expect(try await office.send(.get, "/system/functions").text == "[]")
        }
    }

    /// Secrets are made once, changed, listed without values and removed; others are nobody's business.
    func secrets() async throws {
        try await AdminOffice.with(backend) { (office: AdminOffice) async throws in
            let key = ObjectKey(namespace: office.namespace, name: "db")
            let foreign = Secret(
                metadata: ObjectMeta(name: "foreign", namespace: office.namespace),
                data: ["token": Base64Bytes(utf8: "hands-off")])
            _ = try await office.api.create(foreign)
            let body: JSONValue = ["name": "db", "value": "hunter2", "namespace": .string(office.namespace)]

            #expect(try await office.send(.put, "/system/secrets", body).status == 404)
            #expect(try await office.send(.post, "/system/secrets", body).status == 202)
            #expect(try await office.send(.post, "/system/secrets", body).status == 409)
            #expect(try await office.api.get(Secret.self, key)["db"] == Array("hunter2".utf8))
            let raw: JSONValue = ["name": "db", "value": "ignored", "rawValue": "AP8="]
            #expect(try await office.send(.put, "/system/secrets", raw).status == 202)
            #expect(try await office.api.get(Secret.self, key)["db"] == [0, 255])
            let list = try await office.send(.get, "/system/secrets")
            #expect(list.json == [["name": "db", "namespace": .string(office.namespace)]])

            for method in [HTTPMethod.put, .delete] {
                let answer = try await office.send(method, "/system/secrets", ["name": "foreign", "value": "x"])
                #expect(answer.status == 404)
            }
            #expect(try await office.send(.post, "/system/secrets", ["name": "foreign", "value": "x"]).status == 409)
            let stolen = try await office.send(
                .post, "/system/functions", deployment("thief", ["secrets": ["foreign"]]))
            #expect(stolen.status == 400 && stolen.text.contains("foreign"))
            let kept = try await office.api.get(Secret.self, ObjectKey(namespace: office.namespace, name: "foreign"))
            #expect(kept["token"] == Array("hands-off".utf8))
            let honest = try await office.send(.post, "/system/functions", deployment("hello", ["secrets": ["db"]]))
            #expect(honest.status == 202, "\(honest.text)")

            #expect(try await office.send(.delete, "/system/secrets", ["name": "db"]).status == 202)
            #expect(try await office.send(.delete, "/system/secrets", ["name": "db"]).status == 404)
        }
    }

    /// With a token of the cluster somebody may do what the API server lets them do, and nothing else.
    func rights() async throws {
        try await AdminOffice.with(backend) { (office: AdminOffice) async throws in
            let reader = try await office.person(
                "reader", may: ["list functions.farebox.dev", "get functions.farebox.dev"])
            let writer = try await office.person(
                "writer",
                may: [
                    "create functions.farebox.dev", "get functions.farebox.dev", "update functions.farebox.dev",
                    "patch functions.farebox.dev/scale", "create secrets",
                ])

            #expect(try await office.send(.post, "/system/functions", deployment("hello"), as: reader).status == 403)
            #expect(try await office.send(.post, "/system/functions", deployment("hello"), as: writer).status == 202)
            #expect(try await office.send(.get, "/system/functions", as: reader).json[0]?["name"] == "hello")
            let forbidden = try await office.send(.get, "/system/functions", as: writer)
            #expect(forbidden.status == 403)
            #expect(forbidden.text.contains("list functions.farebox.dev in namespace \(office.namespace)"))
            #expect(try await office.send(.put, "/system/functions", deployment("hello"), as: writer).status == 202)
            let scale: JSONValue = ["serviceName": "hello", "replicas": 2]
            #expect(try await office.send(.post, "/system/scale-function/hello", scale, as: reader).status == 403)
            #expect(try await office.send(.post, "/system/scale-function/hello", scale, as: writer).status == 202)
            let removal: JSONValue = ["functionName": "hello"]
            #expect(try await office.send(.delete, "/system/functions", removal, as: writer).status == 403)
            #expect(try await office.send(.get, "/system/secrets", as: writer).status == 403)
            #expect(try await office.send(.post, "/system/secrets", ["name": "a"], as: writer).status == 202)
            #expect(try await office.send(.get, "/system/logs?name=hello", as: reader).status == 403)
            #expect(try await office.send(.get, "/system/functions", as: "Bearer made-up").status == 401)
            // Elsewhere the rights of this namespace count for nothing, and neither does the name of another namespace.
            #expect(try await office.send(.get, "/system/functions?namespace=default", as: reader).status == 400)
        }
    }

    /// A Function that a Repository deploys is the Repository's.
    func owned() async throws {
        try await AdminOffice.with(backend) { (office: AdminOffice) async throws in
            var function = Function(
                metadata: ObjectMeta(name: "alice-shop", namespace: office.namespace), spec: FunctionSpec(image: "i"))
            function.spec.source = FunctionSource(repository: "shop")
            _ = try await office.api.create(function)

            let change = try await office.send(.put, "/system/functions", deployment("alice-shop"))
            let removal = try await office.send(.delete, "/system/functions", ["functionName": "alice-shop"])

            #expect(change.status == 409 && change.text.contains("Repository shop"))
            #expect(removal.status == 409)
            #expect(try await office.send(.get, "/system/function/alice-shop").status == 200)
        }
    }

    /// Namespaces count that the configuration or a label names.
    func namespaces() async throws {
        try await AdminOffice.with(backend) { (office: AdminOffice) async throws in
            let name = office.namespace + "-b"
            let labelled = Namespace(metadata: ObjectMeta(name: name, labels: [FareboxLabel.functions: "true"]))
            _ = try await office.api.create(labelled)

            let all = try await office.send(.get, "/system/namespaces")
            let here = try await office.send(
                .post, "/system/functions", deployment("hello", ["namespace": .string(name)]))
            let elsewhere = try await office.send(
                .post, "/system/functions", deployment("hello", ["namespace": "kube-system"]))
            let odd = try await office.send(.get, "/system/functions?namespace=..%2F..%2Fkube-system")
            let known = try await office.send(.get, "/system/namespace/" + name)
            let unknown = try await office.send(.get, "/system/namespace/kube-system")

            let names = all.json.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(names.contains(name) && names.contains(office.namespace) && !names.contains("kube-system"))
            #expect(here.status == 202, "\(here.text)")
            #expect(try await office.api.get(Function.self, ObjectKey(namespace: name, name: "hello")).spec.image != "")
            #expect(elsewhere.status == 400)
            #expect(odd.status == 400)
            #expect(known.status == 200 && known.json["name"] == .string(name))
            #expect(unknown.status == 404)
            #expect(try await office.send(.post, "/system/namespace/", ["name": "new"]).status == 501)
            try await office.api.delete(Namespace.self, ObjectKey(name: name))
        }
    }
}

@Suite("OpenFaaS' REST API", .timeLimit(.minutes(10)))
struct AdminMemoryScenarios {
    private let scenarios = AdminScenarios(backend: .memory)

    @Test("A session of OpenFaaS' command line finds what it expects")
    func session() async throws { try await scenarios.session() }

    @Test("Only Secrets that are marked as functions' are touched, and no value is told")
    func secrets() async throws { try await scenarios.secrets() }

    @Test("A token of the cluster opens what the API server lets its bearer do")
    func rights() async throws { try await scenarios.rights() }

    @Test("A Function of a Repository is not changed behind its back")
    func owned() async throws { try await scenarios.owned() }

    @Test("Functions live in namespaces that are meant for them")
    func namespaces() async throws { try await scenarios.namespaces() }
}

@Suite("OpenFaaS' REST API on a real API server", Backend.serverIsNeeded, .timeLimit(.minutes(10)))
struct AdminAPIServerScenarios {
    private let scenarios = AdminScenarios(backend: .server)

    @Test("A session of OpenFaaS' command line finds what it expects")
    func session() async throws { try await scenarios.session() }

    @Test("Only Secrets that are marked as functions' are touched, and no value is told")
    func secrets() async throws { try await scenarios.secrets() }

    @Test("A token of the cluster opens what the API server lets its bearer do")
    func rights() async throws { try await scenarios.rights() }

    @Test("A Function of a Repository is not changed behind its back")
    func owned() async throws { try await scenarios.owned() }

    @Test("Functions live in namespaces that are meant for them")
    func namespaces() async throws { try await scenarios.namespaces() }
}
