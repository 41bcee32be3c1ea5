/// A repository in GitHub's payloads, as far as anybody here reads it.
struct GitHubRepository: Decodable {
    struct Owner: Decodable {
        let login: String?
        /// In `push` some senders write the owner's login here.
        let name: String?
    }

    let full_name: String?
    let owner: Owner?
    let clone_url: String?
    let html_url: String?
    let ssh_url: String?
    let git_url: String?
    let default_branch: String?

    /// The repository in the form that all hosts share.
    ///
    /// - Parameter installation: The installation that the payload names.
    /// - Throws: ``PayloadRefusal`` when it has no URL.
    func remote(_ installation: GitHubInstallationReference?) throws(PayloadRefusal) -> RemoteRepository {
        let urls = [clone_url, html_url, ssh_url, git_url].compactMap { $0 }
        guard let first = urls.first else { throw PayloadRefusal("the payload's repository has no clone_url") }
        // Who owns it decides whether it is built, the URL what is built: they must be of one repository.
        if let full_name, let address = RepositoryAddress(first), !address.ends(with: full_name) {
            throw PayloadRefusal("the payload's clone_url is not that of '\(full_name.prefix(100))'")
        }
        let names = [
            full_name?.split(separator: "/").first.map(String.init), owner?.login, owner?.name,
            first.split(separator: "/").dropLast().last.map(String.init),
        ]
        return RemoteRepository(
            urls: urls, owner: names.lazy.compactMap { $0 }.first { !$0.isEmpty } ?? "",
            defaultBranch: default_branch, installationID: installation?.id)
    }
}

/// The installation that a payload names in passing.
struct GitHubInstallationReference: Decodable {
    let id: Int64
}
