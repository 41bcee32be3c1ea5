import Builds
import Cryptography
import HTTP
import JSON
import KubernetesTypes
import Timing

/// What is to be built: an order with its context, in a form that survives this process in a Job's annotation.
struct BuildTask: Sendable, Hashable {
    /// The id that clients come back with: 32 hex digits.
    let id: String
    let order: BuildOrder
    /// SHA-256 of the context in the artifact store, 64 hex digits.
    let contextDigest: String
    /// What steps may mount, by name; empty where the values are not known (yet) to this process.
    var secrets: [String: [UInt8]]
    /// The names of ``secrets``, in order.
    let secretNames: [String]

    /// Makes a task.
    ///
    /// Its id follows from the context, which holds the order, and from the secrets' values: sealed twice, the same secrets
    /// give two files. Who has the id may read the log, so nobody can work it out from the source alone, nor a secret from it.
    ///
    /// - Parameter key: The payload secret.
    init(order: BuildOrder, contextDigest: String, secrets: [String: [UInt8]] = [:], key: [UInt8]) {
        self.order = order
        self.contextDigest = contextDigest
        self.secrets = secrets
        secretNames = secrets.keys.sorted()
        let values = JSONWriter().string(JSONValue(secrets.mapValues { .string(Base64.encode($0, .standard)) }))
        let code = HMAC.sha256(key: key, message: Array("farebox build id\n\(contextDigest)\n\(values)".utf8))
        id = String(Hex.encode(code).prefix(Self.idDigits))
    }

    /// Whether all that the build needs is known.
    var isWhole: Bool { secretNames.isEmpty || !secrets.isEmpty }

    static let idDigits = 32

    /// Whether the text can be an id.
    static func isID(_ text: some StringProtocol) -> Bool {
        text.utf8.count == idDigits
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The task as a Job carries it.
    var annotation: String {
        JSONWriter().string([
            "image": .string(order.requestedImage),
            "buildArgs": JSONValue(order.arguments.mapValues { .string($0) }),
            "platforms": .array(order.platforms.map { .string($0) }), "skipPush": .bool(!order.pushes),
            "context": .string(contextDigest), "secrets": .array(secretNames.map { .string($0) }),
        ])
    }

    /// Reads what ``annotation`` wrote; nil for anything else.
    init?(id: String, annotation: String, rules: BuildOrder.Rules) {
        guard Self.isID(id), let order = try? BuildOrder(parsing: Array(annotation.utf8), rules: rules),
            let root = try? JSONReader().parse(annotation), let digest = root["context"]?.stringValue,
            ImageReference.isDigest("sha256:" + digest)
        else { return nil }
        self.id = id
        self.order = order
        contextDigest = digest
        secrets = [:]
        secretNames = root["secrets"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}

/// One build, from the request to the end, for all who ask about it.
final class OngoingBuild: Sendable {
    /// How far a build is.
    enum Stage: Sendable {
        /// It waits for its turn.
        case queued(before: Int)
        /// Its turn has come.
        case starting
        /// Its pod is there.
        case running(Pod)
        /// It is over; the pod has its log for a while.
        case finished(BuildResult, Pod?)

        var isFinished: Bool { if case .finished = self { true } else { false } }
    }

    let task: BuildTask
    /// When it was asked for.
    let since: Timestamp
    /// Whether its Job was begun by an earlier process.
    let isAdopted: Bool
    let stage: Observed<Stage>

    init(_ task: BuildTask, since: Timestamp = .now, isAdopted: Bool = false, stage: Stage) {
        self.task = task
        self.since = since
        self.isAdopted = isAdopted
        self.stage = Observed(stage)
    }

    var id: String { task.id }

    /// How long it has taken so far.
    var age: Duration { Timestamp.now - since }

    /// The result, once there is one.
    var result: BuildResult? { if case .finished(let result, _) = stage.value { result } else { nil } }
}
