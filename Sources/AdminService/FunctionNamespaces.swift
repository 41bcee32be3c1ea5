import CRDs
import HTTP
import KubernetesClient
import KubernetesTypes

/// The namespaces that clients may name: those of the configuration, and those that are labelled so.
struct FunctionNamespaces: Sendable {
    let api: any KubernetesAPI
    /// The namespace of requests that name none.
    let standard: String
    /// The others that the configuration names.
    let configured: [String]
    /// Whether namespaces with the label count as well.
    let followsLabels: Bool

    /// What OpenFaaS' command line calls the namespace when its user names none.
    static let alias = "openfaas-fn"
    private static let selector = FareboxLabel.functions + "=true"
    private static let namespacesMaximum = 1000

    /// The namespace that a request means.
    ///
    /// - Parameter name: As the client said it; nil where it said nothing.
    /// - Throws: ``AdminRefusal`` when functions may not be there.
    func resolve(_ name: String?) async throws(AdminRefusal) -> String {
        guard let name, name != standard else { return standard }
        if configured.contains(name) { return name }
        if DNSName.isLabel(name), try await isLabelled(name) { return name }
        if name == Self.alias { return standard }
        throw AdminRefusal(
            .badRequest,
            "the namespace \(name.prefix(100)) is not for functions; the administrator can say that it is: kubectl label "
                + "namespace NAME \(FareboxLabel.functions)=true")
    }

    /// All of them, by name.
    ///
    /// - Throws: ``AdminRefusal`` when the API server cannot be asked.
    func all() async throws(AdminRefusal) -> [String] {
        var names = Set([standard] + configured)
        if followsLabels {
            do {
                let options = ListOptions(labelSelector: Self.selector, limit: Self.namespacesMaximum)
                names.formUnion(try await api.list(Namespace.self, options: options).items.map(\.metadata.name))
            } catch {
                throw AdminRefusal(any: error, "namespaces")
            }
        }
        return names.sorted()
    }

    private func isLabelled(_ name: String) async throws(AdminRefusal) -> Bool {
        guard followsLabels else { return false }
        do {
            let namespace = try await api.get(Namespace.self, ObjectKey(name: name))
            return namespace.metadata.labels[FareboxLabel.functions] == "true"
        } catch let error as KubernetesError where error.isNotFound {
            return false
        } catch {
            throw AdminRefusal(any: error, "namespace \(name)")
        }
    }
}
