import KubernetesTypes
import Timing

extension Repository {
    /// Returns the rules that the Repository breaks and that the schema cannot express.
    ///
    /// Nothing set is ever ignored: a field that nothing acts on yet is a violation too, of kind `notSupportedYet`.
    public func validate() -> [Violation] {
        [
            urlViolation, Self.branchViolation(spec.branch, path: "spec.branch"), stackFileViolation, intervalViolation,
            DurationField.violation(
                spec.build?.timeout, path: "spec.build.timeout", in: RepositoryLimits.buildTimeout),
        ].compactMap { $0 } + branchesViolations
            // Whether ports are allowed is the cluster's to say, where the Functions are.
            + (spec.payment?.violations(path: "spec.payment", allowsPorts: true) ?? []) + unsupportedFields
    }

    private var urlViolation: Violation? {
        let url = spec.url
        func violation(_ message: String) -> Violation { Violation(path: "spec.url", message: message) }
        guard let scheme = ["https://", "http://", "ssh://"].first(where: url.hasPrefix) else {
            return url.contains("://") || !Self.isSecureCopyForm(url)
                ? violation("must begin with https://, http:// or ssh://, or look like git@host:owner/repository") : nil
        }
        var rest = url.dropFirst(scheme.count)
        if scheme == "ssh://", let at = rest.firstIndex(of: "@"), Self.isUser(rest[..<at]) {
            rest = rest[rest.index(after: at)...]
        }
        guard !rest.contains("@") else {
            // The URL is not repeated here: it may hold a password.
            return violation(
                "must not hold a user name or password; put them into a Secret and name it in credentialsSecret")
        }
        guard let slash = rest.firstIndex(of: "/"), slash != rest.startIndex, rest.index(after: slash) != rest.endIndex
        else { return violation("must name a host and a repository on it") }
        guard !rest.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
            return violation("must not hold a query, a fragment or spaces")
        }
        return nil
    }

    /// `user@host:path`, as `scp` and Git write an address of SSH.
    private static func isSecureCopyForm(_ url: String) -> Bool {
        guard let at = url.firstIndex(of: "@"), isUser(url[..<at]) else { return false }
        let rest = url[url.index(after: at)...]
        guard let colon = rest.firstIndex(of: ":"), colon != rest.startIndex, !rest[..<colon].contains("/") else {
            return false
        }
        let path = rest[rest.index(after: colon)...]
        return !path.isEmpty && !path.contains { $0 == "?" || $0 == "#" || $0 == "@" || $0.isWhitespace }
    }

    private static func isUser(_ text: Substring) -> Bool {
        !text.isEmpty && text.first != "-"
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    /// The rules of `git check-ref-format` for a branch.
    private static func branchViolation(_ branch: String?, path: String) -> Violation? {
        guard let branch else { return nil }
        let isBad =
            branch.isEmpty || branch == "@" || branch.hasPrefix("-") || branch.hasSuffix("/") || branch.hasSuffix(".")
            || branch.contains("..") || branch.contains("//") || branch.contains("@{")
            || branch.split(separator: "/", omittingEmptySubsequences: false).contains {
                $0.isEmpty || $0.hasPrefix(".") || $0.hasSuffix(".lock")
            }
            || branch.unicodeScalars.contains {
                $0.value <= 0x20 || $0.value == 0x7F || "~^:?*[\\".unicodeScalars.contains($0)
            }
        return isBad ? Violation(path: path, message: "\"\(branch)\" is no name for a Git branch") : nil
    }

    private var branchesViolations: [Violation] {
        var violations: [Violation] = []
        var suffixes: Set<String> = []
        if spec.nameSuffix != nil, !spec.branches.isEmpty {
            violations.append(
                Violation(
                    path: "spec.nameSuffix", message: "must be absent where spec.branches names the other environments")
            )
        }
        for (index, branch) in spec.branches.enumerated() {
            let path = "spec.branches[\(index)]"
            if let violation = Self.branchViolation(branch.name, path: path + ".name") { violations.append(violation) }
            if branch.name == spec.branch ?? RepositorySpec.branchDefault {
                violations.append(
                    Violation(path: path + ".name", message: "\"\(branch.name)\" is spec.branch already; leave it out"))
            }
            if !suffixes.insert(branch.nameSuffix).inserted {
                violations.append(
                    Violation(
                        path: path + ".nameSuffix",
                        message: "\"\(branch.nameSuffix)\" is used twice: functions of two branches would have one name"
                    ))
            }
            if !DNSName.isLabel(metadata.name + "-" + branch.nameSuffix) {
                violations.append(
                    Violation(
                        path: path + ".nameSuffix",
                        message:
                            "the Repository \(metadata.name)-\(branch.nameSuffix) that would build it has no valid name"
                    ))
            }
        }
        return violations
    }

    private var stackFileViolation: Violation? {
        guard let file = spec.stackFile else { return nil }
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !file.contains("\0") else {
            return Violation(
                path: "spec.stackFile", message: "\"\(file)\" must be a path inside the repository, without . and ..")
        }
        return nil
    }

    private var intervalViolation: Violation? {
        guard let text = spec.interval, Duration(goStyle: text) != .zero else { return nil }
        return DurationField.violation(text, path: "spec.interval", in: RepositoryLimits.interval)
    }

    private var unsupportedFields: [Violation] {
        var violations: [Violation] = []
        func refuse(_ path: String, _ message: String) {
            violations.append(Violation(path: path, message: message, kind: .notSupportedYet))
        }
        if spec.build?.platforms.isEmpty == false {
            refuse("spec.build.platforms", "images are for the builder's own platform so far; leave it out")
        }
        return violations
    }
}

/// The bounds of a Repository's fields that its schema cannot express.
public enum RepositoryLimits {
    /// How often the branch may be looked at; zero turns it off.
    public static let interval: ClosedRange<Duration> = .seconds(10)...(.seconds(7 * 86400))
    /// How long a name's suffix may be, in characters.
    public static let nameSuffixMaximum: Int64 = 20
    /// How long one build may take.
    public static let buildTimeout: ClosedRange<Duration> = .seconds(10)...(.seconds(6 * 3600))
}
