import CRDs
import JSON
import KubernetesTypes

/// One thing that an event does to a Repository.
enum RepositoryChange: Equatable, Sendable {
    /// A push is noted.
    case note(Repository)
    /// It is made, unless it is there.
    case create(RemoteRepository)
    /// It is deleted, and with it, by their owner references, its functions.
    case delete(Repository)
    /// It is changed so.
    case patch(Repository, RepositoryPatch)

    /// The Repository, where it exists already.
    var key: ObjectKey? {
        switch self {
        case .note(let repository), .delete(let repository), .patch(let repository, _): repository.key
        case .create: nil
        }
    }
}

/// A change of a Repository, and what to call it.
struct RepositoryPatch: Equatable, Sendable {
    /// What the sender is told: `suspended`, `moved`.
    let name: String
    /// The merge patch.
    let fields: JSONValue

    /// Holds a Repository: nothing is built and no call gets through, but nothing is deleted either.
    static func suspend(_ reason: Suspension) -> RepositoryPatch {
        annotate("suspended", [FareboxAnnotation.suspended: .string(reason.text)])
    }

    /// Lets it go on.
    static let resume = annotate("resumed", [FareboxAnnotation.suspended: .null])

    /// Gives it another URL and owner.
    static func move(to remote: RemoteRepository, url: String) -> RepositoryPatch {
        var spec: JSONObject = ["url": .string(url)]
        if let installation = remote.installationID { spec["installationID"] = .integer(installation) }
        return RepositoryPatch(
            name: "moved",
            fields: [
                "metadata": ["annotations": [FareboxAnnotation.owner: .string(remote.owner)]], "spec": .object(spec),
            ])
    }

    /// Follows the Git host to another default branch.
    static func follow(_ branch: String) -> RepositoryPatch {
        RepositoryPatch(
            name: "branch changed",
            fields: [
                "metadata": ["annotations": [FareboxAnnotation.defaultBranch: .string(branch)]],
                "spec": ["branch": .string(branch)],
            ])
    }

    /// Reads it through another installation from now on, and lets it go on where a Git host held it.
    static func adopt(installation: Int64?, resumes: Bool) -> RepositoryPatch {
        var fields: JSONValue = .object([:])
        if let installation { fields[path: "spec", "installationID"] = .integer(installation) }
        if resumes { fields[path: "metadata", "annotations", FareboxAnnotation.suspended] = .null }
        return RepositoryPatch(name: "adopted", fields: fields)
    }

    private static func annotate(_ name: String, _ annotations: JSONObject) -> RepositoryPatch {
        RepositoryPatch(name: name, fields: ["metadata": ["annotations": .object(annotations)]])
    }
}

/// Why an event of a Git host holds a Repository, as the annotation ``CRDs/FareboxAnnotation/suspended`` has it.
///
/// The words in front tell it from what an administrator writes there, which no event lifts.
struct Suspension: Equatable, Sendable {
    static let mark = "by the Git host: "

    let text: String

    /// The repository left its installation, or is gone; only another event that adds it lifts that.
    static func left(_ why: String) -> Suspension { Suspension(text: mark + why) }

    /// The installation is held.
    static func installation(_ identifier: Int64) -> Suspension {
        Suspension(text: mark + "installation \(identifier) of the GitHub App is suspended")
    }

    /// Whether an event holds this Repository.
    static func holds(_ repository: Repository) -> Bool {
        repository.metadata.annotations[FareboxAnnotation.suspended]?.hasPrefix(mark) == true
    }
}
