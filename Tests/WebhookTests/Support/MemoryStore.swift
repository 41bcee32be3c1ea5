import CRDs
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization

@testable import Webhook

/// Repositories without a cluster: with versions and conflicts, and out of order when a test says so.
final class MemoryStore: RepositoryStore {
    /// What is asked of the store: `create`, `change`, `delete` or `read`, and of which object.
    typealias Fault = @Sendable (_ verb: String, _ name: String) -> KubernetesError?

    private struct State {
        var objects: [ObjectKey: Repository] = [:]
        var version = 1
        var writes: [String] = []
    }

    private let state = Mutex(State())
    private let fault: Fault

    init(_ repositories: [Repository] = [], fault: @escaping Fault = { _, _ in nil }) {
        self.fault = fault
        for repository in repositories { put(repository) }
    }

    static let away = KubernetesError.transport(.closed, during: "test")

    static func status(_ reason: StatusReason, _ code: Int) -> KubernetesError {
        .api(APIStatus(message: reason.rawValue, reason: reason, code: code))
    }

    /// The objects by name.
    var objects: [String: Repository] {
        state.withLock { state in
            Dictionary(state.objects.map { ($0.key.name, $0.value) }) { first, _ in first }
        }
    }

    /// What was written, in order: `create a`, `change b`.
    var writes: [String] { state.withLock { $0.writes } }

    func put(_ repository: Repository) {
        state.withLock { state in
            var repository = repository
            state.version += 1
            repository.metadata.resourceVersion = String(state.version)
            if repository.metadata.uid.isEmpty { repository.metadata.uid = "uid-\(state.version)" }
            state.objects[repository.key] = repository
        }
    }

    func repositories(at addresses: Set<RepositoryAddress>) -> [Repository] {
        sorted { RepositoryAddress($0.spec.url).map(addresses.contains) ?? false }
    }

    func repositories(ofInstallation identifier: Int64) -> [Repository] {
        sorted { $0.spec.installationID == identifier }
    }

    private func sorted(_ isWanted: (Repository) -> Bool) -> [Repository] {
        state.withLock { $0.objects.values.filter(isWanted) }.sorted { $0.metadata.name < $1.metadata.name }
    }

    func read(_ key: ObjectKey) async throws -> Repository {
        if let error = fault("read", key.name) { throw error }
        guard let repository = state.withLock({ $0.objects[key] }) else { throw Self.status(.notFound, 404) }
        return repository
    }

    func change(_ key: ObjectKey, _ fields: JSONValue) async throws -> Repository {
        if let error = fault("change", key.name) { throw error }
        return try state.withLock { state in
            guard let old = state.objects[key] else { throw Self.status(.notFound, 404) }
            if let version = fields[path: "metadata", "resourceVersion"]?.stringValue, !version.isEmpty,
                version != old.metadata.resourceVersion
            {
                throw Self.status(.conflict, 409)
            }
            let merged = Self.merge(fields, into: try JSONWriter().value(of: old))
            var new = try JSONReader().decode(Repository.self, from: merged)
            state.version += 1
            new.metadata.resourceVersion = String(state.version)
            state.objects[key] = new
            state.writes.append("change \(key.name)")
            return new
        }
    }

    func create(_ repository: Repository) async throws {
        if let error = fault("create", repository.metadata.name) { throw error }
        try state.withLock { state in
            guard state.objects[repository.key] == nil else { throw Self.status(.alreadyExists, 409) }
            state.writes.append("create \(repository.metadata.name)")
        }
        put(repository)
    }

    func delete(_ key: ObjectKey, uid: String) async throws {
        if let error = fault("delete", key.name) { throw error }
        try state.withLock { state in
            guard let old = state.objects[key] else { throw Self.status(.notFound, 404) }
            guard old.metadata.uid == uid else { throw Self.status(.conflict, 409) }
            state.objects[key] = nil
            state.writes.append("delete \(key.name)")
        }
    }

    /// RFC 7386.
    private static func merge(_ patch: JSONValue, into old: JSONValue) -> JSONValue {
        guard case .object(let fields) = patch else { return patch }
        var result = old.objectValue ?? [:]
        for (key, value) in fields {
            result[key] = value.isNull ? nil : merge(value, into: result[key] ?? .null)
        }
        return .object(result)
    }
}

/// A record of deliveries without a cluster.
final class MemoryRecords: DeliveryRecords {
    private let known = Mutex<Set<String>>([])

    func contains(_ identifier: String) async throws -> Bool { known.withLock { $0.contains(identifier) } }
    func insert(_ identifier: String) async throws { known.withLock { _ = $0.insert(identifier) } }
}

/// A list of customers that stands still.
struct FixedCustomers: CustomerSource {
    /// One a line; nil when it cannot be read.
    let names: String?

    func list() async throws(CustomerSourceError) -> CustomerList {
        guard let names else { throw CustomerSourceError("out of order") }
        do throws(CustomerList.Refusal) {
            return try CustomerList(Array(names.utf8))
        } catch {
            throw CustomerSourceError("\(error)")
        }
    }
}

/// GitLab's projects by number; absent when GitLab cannot be asked.
struct FixedTopics: ProjectTopics {
    let projects: [Int64: GitLabProject]?

    func project(_ id: Int64, isChanged: Bool) async throws(ProjectTopicsError) -> GitLabProject? {
        guard let projects else { throw ProjectTopicsError("out of order") }
        return projects[id]
    }
}

/// A default branch that every repository has.
struct FixedHead: RemoteHead {
    let branch: String?

    func defaultBranch(of url: String, until end: ContinuousClock.Instant) async -> String? { branch }
}

struct FixedSecrets: SecretSource {
    var secrets: [GitHostKind: [[UInt8]]] = [:]

    func current(for host: GitHostKind) -> [[UInt8]] { secrets[host] ?? [] }
}
