public import CRDs
import Cryptography
public import JSON
import YAML

/// The Secrets that a repository brings along, sealed for the cluster: `secrets.yml` in its root.
///
/// The file holds one or several `SealedSecret` documents (Bitnami's Sealed Secrets, `bitnami.com/v1alpha1`). Only the
/// sealed values and the name are taken over; namespace, labels, annotations and type are Farebox's to say, so that no
/// author reaches beyond what is theirs.
public struct SealedSecretFile: Sendable, Hashable {
    /// The Secrets, in the order of the file.
    public let secrets: [SealedSecret]
    /// What the file sets and Farebox does not act on, each with its place.
    public let ignored: [String]

    /// The path of the file.
    public static let name = "secrets.yml"
    /// A file may hold this many documents.
    static let documentsMaximum = 32
    /// One Secret may hold this many values.
    static let valuesMaximum = 128

    /// A file without any Secret, for a commit without the file.
    static let absent = SealedSecretFile(secrets: [], ignored: [])

    private init(secrets: [SealedSecret], ignored: [String]) {
        self.secrets = secrets
        self.ignored = ignored
    }

    /// Reads the file of a commit; a commit without it has no Secrets.
    ///
    /// - Parameters:
    ///   - tree: The commit's files.
    ///   - owner: Whose repository it is.
    ///   - namespace: Where the Secrets go.
    ///   - rules: For the file's size.
    /// - Throws: ``BuildFailure`` with `StackInvalid`, and what reading throws.
    public static func read(
        from tree: some SourceTree, owner: OwnerName, namespace: String, rules: StackRules
    ) async throws -> SealedSecretFile {
        guard let entry = tree.entry(at: name) else { return absent }
        guard entry.kind == .file || entry.kind == .executable else {
            throw BuildFailure(.stackInvalid, "\(name) is not a file; links are not followed")
        }
        return try read(try await AuthorFile.read(entry, from: tree, rules: rules), owner: owner, namespace: namespace)
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - owner: Whose repository it is: names must begin with the owner's and a dash.
    ///   - namespace: Where the Secrets go, whatever the file says.
    /// - Throws: ``BuildFailure`` with `StackInvalid`, with line and column. No message repeats a value.
    public static func read(
        _ bytes: [UInt8], owner: OwnerName, namespace: String
    ) throws(BuildFailure) -> SealedSecretFile {
        let documents: [YAMLNode]
        do {
            documents = try YAMLReader(limits: YAMLReader.Limits(documentsMaximum: documentsMaximum)).parseAll(bytes)
        } catch {
            throw BuildFailure(.stackInvalid, "\(name) \(error)")
        }
        var secrets: [SealedSecret] = []
        var ignored: [String] = []
        for document in documents {
            // What stands between two lines of dashes may be nothing.
            if case .scalar = document.content, document.text == nil { continue }
            let fields = AuthorFields(file: name, path: "", node: document)
            let secret = try secret(fields, owner, namespace, &ignored)
            guard !secrets.contains(where: { $0.name == secret.name }) else {
                throw fields.invalid(document.location, "\(secret.name) is there twice")
            }
            secrets.append(secret)
        }
        return SealedSecretFile(secrets: secrets, ignored: ignored)
    }

    private static func secret(
        _ fields: AuthorFields, _ owner: OwnerName, _ namespace: String, _ ignored: inout [String]
    ) throws(BuildFailure) -> SealedSecret {
        guard fields.node.mapping != nil else {
            throw fields.invalid(fields.node.location, "a \(name) holds documents of kind SealedSecret")
        }
        let kind = try fields.text("kind")
        guard kind == "SealedSecret", try fields.text("apiVersion") == SealedSecret.apiVersion else {
            throw fields.invalid(
                "kind",
                "only SealedSecret of \(SealedSecret.apiVersion) is taken"
                    + (kind == "Secret"
                        ? "; a plain Secret does not belong into a repository: seal it with kubeseal" : ""))
        }
        guard let metadata = try fields.fields("metadata", with: "a name"),
            let spec = try fields.fields("spec", with: "encryptedData")
        else { throw fields.invalid(fields.node.location, "metadata and spec are needed") }
        let secretName = try name(metadata, owner)
        for key in ["namespace", "labels", "annotations"] {
            // kubeseal writes the namespace that it sealed for: naming the right one is no mistake.
            guard let value = metadata.something(key), key != "namespace" || value.text != namespace else { continue }
            ignored.append(
                "\(name): metadata.\(key) (\(metadata.location(key)): \(Self.reason(key)))")
        }
        try checkTemplate(spec, &ignored)
        return SealedSecret(name: secretName, values: try values(spec))
    }

    private static func reason(_ key: String) -> String {
        switch key {
        case "namespace": "the Secret goes into the Repository's namespace; sealed for another it does not open"
        case "annotations": "the Secret must be sealed for its name and namespace, which is kubeseal's default"
        default: "nothing acts on it"
        }
    }

    /// The owner's name, a dash and something: the dash keeps `alexellis-x` from an owner `alex`.
    private static func name(_ metadata: AuthorFields, _ owner: OwnerName) throws(BuildFailure) -> String {
        guard let name = try metadata.text("name"), DNSName.isSubdomain(name) else {
            throw metadata.invalid("name", "metadata.name is no name for a Secret")
        }
        let prefix = owner.lowercased + "-"
        guard name.hasPrefix(prefix), name.utf8.count > prefix.utf8.count else {
            throw metadata.invalid(
                "name", "metadata.name must begin with the owner: \(prefix)…; the stack file names it without that")
        }
        return name
    }

    private static func checkTemplate(_ spec: AuthorFields, _ ignored: inout [String]) throws(BuildFailure) {
        guard let template = try spec.fields("template", with: "a type") else { return }
        let type = try template.text("type") ?? ""
        guard type.isEmpty || type == SealedSecret.type else {
            throw template.invalid("type", "spec.template.type must be \(SealedSecret.type)")
        }
        guard template.something("data") == nil else {
            throw template.invalid("data", "spec.template.data is not taken; put everything into encryptedData")
        }
        if let metadata = try template.fields("metadata", with: "a name") {
            for key in ["labels", "annotations"] where metadata.something(key) != nil {
                ignored.append(
                    "\(name): spec.template.metadata.\(key) (\(metadata.location(key)): nothing acts on it)")
            }
        }
    }

    private static func values(_ spec: AuthorFields) throws(BuildFailure) -> [String: String] {
        let key = "encryptedData"
        let values = try spec.map(key)
        guard !values.isEmpty, values.count <= valuesMaximum else {
            throw spec.invalid(key, "spec.encryptedData must hold from 1 to \(valuesMaximum) sealed values")
        }
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            let location = spec.node[key]?[name]?.location ?? spec.location(key)
            guard isKey(name) else {
                throw spec.invalid(
                    location,
                    "spec.encryptedData: '\(name.prefix(80))' is no key for a Secret: use letters, digits, '-', "
                        + "'_' and '.'")
            }
            guard !value.isEmpty, Base64.decode(value) != nil else {
                throw spec.invalid(location, "spec.encryptedData.\(name) is not base64")
            }
        }
        return values
    }

    /// The API server's rule for keys of Secrets.
    private static func isKey(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count) && text != "." && !text.hasPrefix("..")
            && text.utf8.allSatisfy {
                ASCII.isAlphanumeric($0) || $0 == ASCII.dash || $0 == ASCII.dot || $0 == ASCII.underscore
            }
    }
}

/// One sealed Secret: a name and values that only the cluster can open.
public struct SealedSecret: Sendable, Hashable {
    /// The name of the SealedSecret and of the Secret that comes of it.
    public let name: String
    /// The sealed values by key, in base64.
    public let values: [String: String]

    static let apiVersion = "bitnami.com/v1alpha1"
    /// The one type that such a Secret may have.
    static let type = "Opaque"

    /// The object for the API server.
    ///
    /// - Parameters:
    ///   - namespace: Where it goes, whatever the file said.
    ///   - labels: For it and for the Secret that comes of it.
    ///   - annotations: For both, too: they tell whose they are.
    public func manifest(
        namespace: String, labels: [String: String], annotations: [String: String]
    ) -> JSONValue {
        let labels = JSONValue(labels.mapValues { .string($0) })
        let annotations = JSONValue(annotations.mapValues { .string($0) })
        return [
            "apiVersion": .string(Self.apiVersion), "kind": "SealedSecret",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "labels": labels, "annotations": annotations,
            ],
            "spec": [
                "encryptedData": JSONValue(values.mapValues { .string($0) }),
                "template": [
                    "type": .string(Self.type), "metadata": ["labels": labels, "annotations": annotations],
                ],
            ],
        ]
    }
}
