import CRDs

/// Reads what `git` complained about, in the C locale, and says it in our words.
enum GitFailure {
    /// Returns the failure of a command that talked to a server.
    ///
    /// - Parameters:
    ///   - errors: Its standard error.
    ///   - url: The repository, for the message.
    ///   - hasCredentials: Whether it had a password to show.
    ///   - masker: Hides that password, should Git repeat it.
    static func from(errors: String, url: GitURL, hasCredentials: Bool, masker: LogMasker) -> BuildFailure {
        func has(_ parts: String...) -> Bool { parts.contains { errors.contains($0) } }
        if has("could not read Username", "could not read Password", "Authentication failed", "error: 401") {
            return BuildFailure(
                .gitAuthFailed,
                hasCredentials
                    ? "\(url) refused the credentials"
                    : "\(url) does not exist or asks for a password; for a private repository name a Secret with a "
                        + "token, or username and password, in spec.credentialsSecret")
        }
        if url.scheme == "ssh", let failure = ofSecureShell(errors, url: url) { return failure }
        if has("error: 403") {
            return BuildFailure(.gitAuthFailed, "\(url) answered 403: these credentials may not read it")
        }
        if has("' not found", "error: 404") {
            return BuildFailure(.gitRepositoryNotFound, "\(url) was not found on that host")
        }
        if has("error: 301", "error: 302", "error: 307", "error: 308", "redirect") {
            return BuildFailure(
                .gitFailed, "\(url) redirects to another address; set spec.url to the repository's new address")
        }
        if has("Operation too slow", "timed out", "Timeout was reached") {
            return BuildFailure(.gitUnreachable, "\(url) answers too slowly; it is tried again")
        }
        let detail = detail(of: errors, masker: masker)
        if has(
            "Could not resolve", "Failed to connect", "Couldn't connect", "Connection refused", "SSL", "TLS",
            "certificate", "unable to access", "Empty reply", "early EOF", "Connection reset", "hung up")
        {
            return BuildFailure(.gitUnreachable, "\(url) cannot be reached: \(detail)")
        }
        return BuildFailure(.gitFailed, "git failed on \(url): \(detail)")
    }

    /// What `ssh`, and the hosts behind it, complain about.
    private static func ofSecureShell(_ errors: String, url: GitURL) -> BuildFailure? {
        func has(_ parts: String...) -> Bool { parts.contains { errors.contains($0) } }
        if has("IDENTIFICATION HAS CHANGED") {
            return BuildFailure(
                .gitAuthFailed,
                "\(url.host) shows another host key than known_hosts holds: somebody may be listening; compare the "
                    + "fingerprints, then correct known_hosts in the Secret of spec.credentialsSecret")
        }
        if has("Host key verification failed", "host key is known for") {
            return BuildFailure(
                .gitAuthFailed,
                "the host key of \(url.host) is not known: put its line of ssh-keyscan, compared with the host's "
                    + "fingerprints, into known_hosts of the Secret of spec.credentialsSecret")
        }
        if has("error in libcrypto", "invalid format", "incorrect passphrase") {
            return BuildFailure(
                .gitAuthFailed, "ssh-privatekey of spec.credentialsSecret is no private key without passphrase")
        }
        if has("Permission denied (", "Too many authentication failures") {
            return BuildFailure(.gitAuthFailed, "\(url) refused the SSH key of spec.credentialsSecret")
        }
        if has("Repository not found", "does not appear to be a git repository", "could not be found") {
            return BuildFailure(.gitRepositoryNotFound, "\(url) was not found on that host")
        }
        if has("ssh: connect to host", "Connection closed by", "kex_exchange_identification", "Broken pipe") {
            return BuildFailure(.gitUnreachable, "\(url) cannot be reached over SSH; it is tried again")
        }
        return nil
    }

    /// Whether the server says that it does not have, or does not hand out, that commit.
    static func isMissingRevision(_ errors: String) -> Bool {
        [
            "not our ref", "unadvertised object", "find remote ref", "no such remote ref", "bad object",
            "did not send all necessary objects",
        ].contains { errors.lowercasedContains($0) }
    }

    /// The last line that says something, cleaned for people.
    private static func detail(of errors: String, masker: LogMasker) -> String {
        let lines = errors.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("hint:") }
        let last = lines.last { $0.hasPrefix("fatal:") || $0.hasPrefix("error:") } ?? lines.last ?? "no message"
        let printable = String(String.UnicodeScalarView(last.unicodeScalars.filter { $0.value >= 0x20 }))
        return String(masker.masked(printable).prefix(300))
    }
}

extension String {
    /// Whether the text occurs, without regard to case.
    fileprivate func lowercasedContains(_ text: String) -> Bool { lowercased().contains(text) }
}
