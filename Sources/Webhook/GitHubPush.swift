import JSON

/// GitHub's `push` payload, as far as it says what to build.
///
/// Unknown fields are ignored: GitHub adds some every year.
///
/// Source: GitHub, "Webhook events and payloads", `push`.
struct GitHubPush: Decodable {
    struct Repository: Decodable {
        let clone_url: String?
        let html_url: String?
        let ssh_url: String?
        let git_url: String?
    }

    /// Why a payload is refused.
    struct Refusal: Error, Equatable {
        let reason: String
    }

    let ref: String
    let after: String
    let deleted: Bool?
    let repository: Repository

    /// Reads a payload whose signature was verified before.
    ///
    /// - Throws: `Refusal` with a text for the sender.
    static func event(from body: [UInt8]) throws(Refusal) -> PushEvent {
        let push: GitHubPush
        do {
            push = try JSONReader().decode(GitHubPush.self, from: body)
        } catch {
            throw Refusal(reason: "the payload is not a push event: \(error)")
        }
        let urls = [
            push.repository.clone_url, push.repository.html_url, push.repository.ssh_url, push.repository.git_url,
        ]
        .compactMap { $0 }
        guard !urls.isEmpty else { throw Refusal(reason: "the payload's repository has no clone_url") }
        return PushEvent(repositoryURLs: urls, reference: push.ref, change: try push.change())
    }

    private func change() throws(Refusal) -> PushEvent.Change {
        guard CommitIdentifier.isValid(after) else {
            throw Refusal(reason: "the payload's 'after' is not a commit: 40 or 64 hexadecimal digits are expected")
        }
        // A deletion carries a commit of zeros; older senders leave the flag out.
        return deleted == true || after.allSatisfy { $0 == "0" } ? .deletion : .commit(after)
    }
}

/// The form of a commit's name in a payload.
enum CommitIdentifier {
    /// Whether `text` is a whole SHA-1 or SHA-256 object name in lower-case hexadecimal.
    static func isValid(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
