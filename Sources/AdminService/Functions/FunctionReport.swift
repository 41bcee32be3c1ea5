import CRDs
import JSON
import KubernetesTypes

/// What a client of OpenFaaS gets to know about a function: an element of `GET /system/functions`.
///
/// What was deployed comes back as it was sent, so that `faas-cli diff` finds no difference.
struct FunctionReport: Sendable {
    let function: Function
    /// Its calls since the gateways started.
    var calls: UInt64 = 0

    var json: JSONValue {
        let spec = function.spec
        let record = ClientRecord(annotation: function.metadata.annotations[FareboxAnnotation.client])
        var environment = spec.environment
        let process = environment.removeValue(forKey: FunctionDeployment.processVariable)
        var members: JSONObject = [
            "name": .string(function.metadata.name),
            "namespace": .string(function.metadata.namespace),
            "image": .string(spec.image),
            "replicas": .integer(Int64(function.desiredReplicas)),
            "availableReplicas": .integer(Int64(function.status?.availableReplicas ?? 0)),
            "invocationCount": JSONValue(calls),
            "labels": Self.texts(record.labels.merging(spec.labels) { _, present in present }),
            "annotations": Self.texts(record.annotations.merging(spec.annotations) { _, present in present }),
        ]
        if let process { members["envProcess"] = .string(process) }
        if !environment.isEmpty { members["envVars"] = Self.texts(environment) }
        if !spec.secrets.isEmpty { members["secrets"] = .array(spec.secrets.map { .string($0) }) }
        if !record.constraints.isEmpty { members["constraints"] = .array(record.constraints.map { .string($0) }) }
        members["limits"] = Self.amounts(spec.resources?.limits)
        members["requests"] = Self.amounts(spec.resources?.requests)
        if spec.readOnlyRootFilesystem == true { members["readOnlyRootFilesystem"] = true }
        // A time that cannot be read makes Go's decoder refuse the whole list.
        if let created = function.metadata.creationTimestamp { members["createdAt"] = .string(created.description) }
        members["farebox"] = state
        return .object(members)
    }

    /// What OpenFaaS' clients pass over and our own wait for: whether the function works in the version it has now, and why not.
    private var state: JSONValue {
        let conditions = function.status?.conditions ?? []
        let isSeen = function.metadata.generation.map { $0 == function.status?.observedGeneration } ?? true
        let ready = conditions.condition(FunctionCondition.ready.rawValue)
        let stalled = conditions.condition(FunctionCondition.stalled.rawValue)
        let isStalled = isSeen && stalled?.status == .true
        let told = isStalled ? stalled : isSeen ? ready : nil
        var members: JSONObject = [
            "ready": .bool(isSeen && ready?.status == .true), "stalled": .bool(isStalled),
            "reason": .string(told?.reason ?? ""), "message": .string(told?.message ?? ""),
        ]
        if let repository = function.spec.source?.repository { members["repository"] = .string(repository) }
        return .object(members)
    }

    private static func texts(_ texts: [String: String]) -> JSONValue { JSONValue(texts.mapValues { .string($0) }) }

    private static func amounts(_ amounts: FunctionResourceAmounts?) -> JSONValue? {
        guard let amounts else { return nil }
        var members: JSONObject = [:]
        if let cpu = amounts.cpu { members["cpu"] = .string(cpu.text) }
        if let memory = amounts.memory { members["memory"] = .string(memory.text) }
        return members.isEmpty ? nil : .object(members)
    }
}
