import Builds
import CRDs
import Commands
import JSON
import KubernetesTypes
import Timing

/// A function of a folder in the words of OpenFaaS' REST API: the body of `PUT` and `POST /system/functions`.
///
/// What a Function has fields for and the API has none travels as the labels and annotations that the API's readers know.
struct ServerDeployment: Sendable {
    /// The function's name.
    let name: String
    private let members: JSONObject

    /// Translates a function.
    ///
    /// - Parameter namespace: Where it goes; nil for where the server has functions.
    /// - Throws: `CommandFailure` for what no function may set.
    init(_ stack: StackFunction, namespace: String?) throws(CommandFailure) {
        name = stack.name
        // The rules are the cluster's as well: who breaks one learns so before anything is built.
        _ = try FunctionChange(stack, namespace: namespace ?? Cluster.functionsNamespace, image: "image", now: .now)
        var labels = stack.labels
        if let scale = stack.scale { labels.merge(ScaleLabels.labels(of: scale)) { _, ours in ours } }
        var annotations = stack.annotations
        if let health = stack.health { annotations.merge(HealthAnnotations.annotations(of: health)) { $1 } }
        if let calls = stack.async { annotations.merge(RetryAnnotations.annotations(of: calls)) { $1 } }
        if let port = stack.port { annotations[PortAnnotation.key] = "\(port)" }
        if let pointer = stack.paymentPointer { annotations[StackFunction.paymentPointerAnnotation] = pointer }
        var members: JSONObject = ["service": .string(stack.name)]
        if let namespace { members["namespace"] = .string(namespace) }
        if let process = stack.process { members["envProcess"] = .string(process) }
        members["envVars"] = Self.texts(stack.environment)
        members["secrets"] = stack.secrets.isEmpty ? nil : .array(stack.secrets.map { .string($0) })
        members["labels"] = Self.texts(labels)
        members["annotations"] = Self.texts(annotations)
        members["limits"] = Self.amounts(stack.resources?.limits)
        members["requests"] = Self.amounts(stack.resources?.requests)
        members["readOnlyRootFilesystem"] = stack.readOnlyRootFilesystem.map { .bool($0) }
        self.members = members
    }

    /// The body.
    ///
    /// - Parameter image: What runs, best by digest.
    func body(image: String) -> JSONValue {
        var members = members
        members["image"] = .string(image)
        return .object(members)
    }

    private static func texts(_ texts: [String: String]) -> JSONValue? {
        texts.isEmpty ? nil : JSONValue(texts.mapValues { .string($0) })
    }

    private static func amounts(_ amounts: FunctionResourceAmounts?) -> JSONValue? {
        var texts: [String: String] = [:]
        texts["cpu"] = amounts?.cpu?.text
        texts["memory"] = amounts?.memory?.text
        return Self.texts(texts)
    }
}
