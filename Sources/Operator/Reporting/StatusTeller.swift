import Builds
import GitHosts

/// The real thing: the credentials of the Repository, the masked report, the host's API.
struct StatusTeller: StatusTelling {
    let credentials: GitCredentialSource
    let sender: StatusSender

    func tell(_ report: CommitReport, of access: GitAccess, at place: StatusPlace) async throws {
        guard let credential = try await credentials.hostCredential(for: access) else {
            throw GitHostError.refused(
                "nothing lets us in at the Git host's API: put a token that may write commit statuses into the Secret of "
                    + "spec.credentialsSecret")
        }
        var secrets: [String] = []
        if case .token(let token) = credential { secrets.append(token) }
        let masker = LogMasker(values: secrets)
        var masked = report.report
        masked.description = masker.masked(masked.description)
        masked.text = masked.text.map { masker.masked($0) }
        try await sender.send(masked, to: place, as: credential)
    }
}
