import CRDs
import HTTP
import JSON
import KubernetesTypes

/// What a client of OpenFaaS wants to run: the body of `POST` and `PUT /system/functions`.
///
/// `null` counts as absent, keys that are not known are passed over, as Go's decoder has it.
struct FunctionDeployment: Equatable, Sendable {
    /// The function's name.
    let service: String
    let image: String
    let namespace: String?
    /// The program that the image's watchdog starts.
    let process: String?
    let environment: [String: String]
    let constraints: [String]
    let secrets: [String]
    let labels: [String: String]
    let annotations: [String: String]
    let limits: FunctionResourceAmounts?
    let requests: FunctionResourceAmounts?
    /// nil where the client says nothing, which is how Go writes `false`.
    let readOnlyRootFilesystem: Bool?
    /// Keys that were set and mean nothing here.
    let ignored: [String]

    /// A body may not be larger; objects have at most 1.5 MiB in etcd.
    static let bytesMaximum = 1 << 20
    private static let depthMaximum = 16

    /// Reads a body.
    ///
    /// - Throws: ``AdminRefusal`` that names the field.
    init(_ bytes: [UInt8]) throws(AdminRefusal) {
        let body = try Self.object(bytes)
        service = try Self.text(body, "service") ?? ""
        guard DNSName.isLabel(service) else {
            throw AdminRefusal(
                .badRequest,
                "service: \"\(service.prefix(100))\" is no name for a function; use up to 63 of a-z, 0-9 and '-', with a letter "
                    + "or digit at both ends")
        }
        image = try Self.text(body, "image") ?? ""
        guard !image.isEmpty else { throw AdminRefusal(.badRequest, "image: name the image to run") }
        namespace = try Self.text(body, "namespace")
        process = try Self.text(body, "envProcess")
        environment = try Self.texts(body, "envVars")
        constraints = try Self.list(body, "constraints")
        secrets = try Self.list(body, "secrets")
        labels = try Self.texts(body, "labels")
        annotations = try Self.texts(body, "annotations")
        var ignored: [String] = []
        limits = try Self.amounts(body, "limits", &ignored)
        requests = try Self.amounts(body, "requests", &ignored)
        switch body["readOnlyRootFilesystem"] {
        case nil, .null?: readOnlyRootFilesystem = nil
        case .bool(let value)?: readOnlyRootFilesystem = value
        default: throw AdminRefusal(.badRequest, "readOnlyRootFilesystem: must be true or false")
        }
        self.ignored = ignored
    }

    /// Reads a body that has to be a JSON object.
    ///
    /// - Throws: ``AdminRefusal``.
    static func object(_ bytes: [UInt8]) throws(AdminRefusal) -> JSONObject {
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: bytesMaximum, depthMaximum: depthMaximum))
        let value: JSONValue
        do {
            value = try reader.parse(bytes)
        } catch {
            throw AdminRefusal(.badRequest, "the body is no JSON: \(error)")
        }
        guard let object = value.objectValue else { throw AdminRefusal(.badRequest, "the body must be a JSON object") }
        return object
    }

    /// A text; nil where it is absent or empty.
    ///
    /// - Throws: ``AdminRefusal`` for another type.
    static func text(_ body: JSONObject, _ key: String) throws(AdminRefusal) -> String? {
        switch body[key] {
        case nil, .null?: return nil
        case .string(let text)?: return text.isEmpty ? nil : text
        case let other?: throw AdminRefusal(.badRequest, "\(key): must be a text, and is \(other.kind)")
        }
    }

    private static func texts(_ body: JSONObject, _ key: String) throws(AdminRefusal) -> [String: String] {
        var texts: [String: String] = [:]
        switch body[key] {
        case nil, .null?: break
        case .object(let members)?:
            for (name, value) in members {
                guard let text = value.isNull ? "" : value.stringValue else {
                    throw AdminRefusal(.badRequest, "\(key).\(name): must be a text, and is \(value.kind)")
                }
                texts[name] = text
            }
        case let other?: throw AdminRefusal(.badRequest, "\(key): must be an object of texts, and is \(other.kind)")
        }
        return texts
    }

    private static func list(_ body: JSONObject, _ key: String) throws(AdminRefusal) -> [String] {
        var texts: [String] = []
        switch body[key] {
        case nil, .null?: break
        case .array(let elements)?:
            for element in elements {
                guard let text = element.stringValue else {
                    throw AdminRefusal(.badRequest, "\(key): must be a list of texts")
                }
                if !texts.contains(text) { texts.append(text) }
            }
        case let other?: throw AdminRefusal(.badRequest, "\(key): must be a list of texts, and is \(other.kind)")
        }
        return texts
    }

    private static func amounts(
        _ body: JSONObject, _ key: String, _ ignored: inout [String]
    ) throws(AdminRefusal) -> FunctionResourceAmounts? {
        let texts = try texts(body, key)
        var amounts = FunctionResourceAmounts()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) where !text.isEmpty {
            guard ["cpu", "memory"].contains(name) else {
                ignored.append("\(key).\(name)")
                continue
            }
            guard let quantity = Quantity(text) else {
                throw AdminRefusal(
                    .badRequest, "\(key).\(name): must be a quantity such as \(name == "cpu" ? "500m" : "128Mi")")
            }
            if name == "cpu" { amounts.cpu = quantity } else { amounts.memory = quantity }
        }
        return amounts == FunctionResourceAmounts() ? nil : amounts
    }
}
